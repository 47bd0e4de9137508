# SPDX-License-Identifier: MIT
# Sinatra, behind puma.
require "json"
require "sinatra/base"
require "sqlite3"
require_relative "../verify/penstock_signature"

class App < Sinatra::Base
  set :environment, :production
  PAGE = File.read(File.join(__dir__, "../page.html"), encoding: "utf-8")
  USERS = { "alice-cookie" => "alice" }.freeze

  def database
    @database ||= SQLite3::Database.new(ENV.fetch("APP_DB")).tap { |db| db.busy_timeout = 5000 }
  end

  def request_id
    request.env["HTTP_X_REQUEST_ID"].to_s
  end

  def from_penstock(purpose)
    body = request.body.read
    request.body.rewind
    said = request.env["HTTP_PENSTOCK_SIGNATURE"]
    halt 403 unless penstock_signed?([ENV.fetch("APP_KEY")], purpose, request.request_method, request.env["REQUEST_URI"], request_id, body, said)
  end

  def there?(table)
    database.get_first_value("SELECT 1 FROM #{table} WHERE request = ?", [request_id])
  end

  def user
    USERS[request.cookies["session"]]
  end

  post "/sign-in" do
    response.set_cookie "session", value: "alice-cookie", httponly: true, same_site: :strict
    redirect "/albums/7", 303
  end

  get "/albums/:album" do
    rows = database.execute "SELECT title, name FROM album JOIN photo USING (request) ORDER BY photo.rowid"
    PAGE.sub("ROWS") { rows.map { |row| "<p><b>%s</b> <i>%s</i></p>" % row.map { |text| Rack::Utils.escape_html(text) } }.join }
  end

  get "/uploads/authorize" do
    from_penstock "authorize"
    halt 401, { "WWW-Authenticate" => "Cookie" }, "log in first" unless user
    [204, { "Penstock-Grant-User" => user }, []]
  end

  post "/albums/:album" do
    from_penstock "form"
    halt 422, "that title is taken" if params["title"] == "no"
    database.transaction(:immediate) do
      halt 409, "that form has failed" if there?("void")
      database.execute "INSERT INTO album VALUES (?, ?, ?)", [request_id, user, params["title"]]
      Array(params["photo"]).map { |text| JSON.parse(text) }.each do |photo| # Rack reads photo[] so
        database.execute "INSERT INTO photo VALUES (?, 'photo[]', ?, ?, ?)", [request_id, photo["name"], photo["target"], photo["size"]]
      end
    end
    Process.kill "KILL", Process.pid if params["title"] == "die"
    [303, { "Location" => "/albums/#{params["album"]}" }, []]
  end

  post "/uploads/failed" do
    from_penstock "failed"
    %w[album photo].each { |table| database.execute "DELETE FROM #{table} WHERE request = ?", [request_id] }
    database.execute "INSERT OR IGNORE INTO void VALUES (?)", [request_id]
    204
  end

  post "/uploads/resolve" do
    from_penstock "resolve"
    found = nil
    database.transaction(:immediate) do
      found = there?("album")
      # What is not known never will be: the form may still be on its way to here.
      database.execute "INSERT OR IGNORE INTO void VALUES (?)", [request_id] unless found
    end
    found ? 204 : 404
  end
end
run App
