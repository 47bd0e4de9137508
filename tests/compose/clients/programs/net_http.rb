# SPDX-License-Identifier: MIT
# net_http.rb URL FOLDER - Ruby's Net::HTTP.
require "net/http"

url, folder = ARGV
form = File.readlines("#{folder}/form.tsv", chomp: true, encoding: "UTF-8").map do |line|
  kind, name, path, filename, type = line.split("\t")
  kind == "file" ? [name, File.open(path, "rb"), { filename: filename, content_type: type }] : [name, File.binread(path).force_encoding("UTF-8")]
end
uri = URI(url)
request = Net::HTTP::Post.new(uri)
request.set_form(form, "multipart/form-data")
answer = Net::HTTP.start(uri.host, uri.port, read_timeout: 240) { |http| http.request(request) }
puts answer.code, answer.body
