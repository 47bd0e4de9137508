# Whether a request to an application comes from penstock: the header Penstock-Signature.
require "openssl"
require "rack/utils"

# keys: one or more. target: the path with its query as it was sent. body: before anybody has parsed it. header:
# Penstock-Signature, or nil. It holds for `within` seconds.
def penstock_signed?(keys, purpose, method, target, request_id, body, header, within: 300)
  fields = header.to_s.split(",").map { |field| field.split("=", 2) }
  said = fields.to_h { |name, value| [name, value.to_s] }
  return false unless said["p"] == purpose && said["t"].to_s.match?(/\A[0-9]+\z/) && (Time.now.to_i - said["t"].to_i).abs <= within

  text = [purpose, said["t"], method, target, request_id, OpenSSL::Digest::SHA256.hexdigest(body)].join("\n")
  sent = fields.select { |name, _| name == "v1" }.map { |_, value| value.to_s }
  keys.any? { |key| mine = OpenSSL::HMAC.hexdigest("SHA256", key, text); sent.any? { |value| Rack::Utils.secure_compare(mine, value) } }
end
