// Bytes to messages.
#include <string>

#include "engine/pgwire/message.h"
#include "engine/pgwire/message_codes.h"

namespace polarsim::engine::pgwire {

namespace {

using codes::refuse;

class Reader {
 public:
  explicit Reader(std::string_view body) : rest_(body) {}

  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) refuse("insufficient data left in message");
    const std::string_view result = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return result;
  }
  char byte() { return bytes(1)[0]; }
  std::uint32_t uint32() {
    std::uint32_t value = 0;
    for (const char c : bytes(4)) value = (value << 8) | static_cast<unsigned char>(c);
    return value;
  }
  std::int32_t int32() { return static_cast<std::int32_t>(uint32()); }
  std::int16_t int16() {
    std::uint16_t value = 0;
    for (const char c : bytes(2)) value = static_cast<std::uint16_t>((value << 8) | static_cast<unsigned char>(c));
    return static_cast<std::int16_t>(value);
  }
  std::string string() {
    const std::size_t end = rest_.find('\0');
    if (end == std::string_view::npos) refuse("invalid string in message");
    std::string result(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return result;
  }
  // How many items of at least `item_bytes` follow; a count the body cannot hold is refused before anything is
  // allocated.
  std::size_t count(std::size_t item_bytes) {
    // Without a sign: a Bind may carry 65535 values.
    const auto value = static_cast<std::uint16_t>(int16());
    if (value * item_bytes > rest_.size()) refuse("insufficient data left in message");
    return value;
  }
  std::vector<std::int16_t> formats() {
    std::vector<std::int16_t> result(count(2));
    for (std::int16_t& format : result) format = int16();
    return result;
  }
  std::vector<std::uint32_t> types() {
    std::vector<std::uint32_t> result(count(4));
    for (std::uint32_t& type : result) type = uint32();
    return result;
  }
  std::vector<WireValue> values() {
    std::vector<WireValue> result(count(4));
    for (WireValue& value : result) {
      const std::int32_t length = int32();
      if (length == -1) continue;
      if (length < 0) refuse("invalid message format");
      value = std::string(bytes(static_cast<std::size_t>(length)));
    }
    return result;
  }
  std::string rest() { return std::string(bytes(rest_.size())); }
  bool done() const { return rest_.empty(); }
  void finish() const {
    if (!done()) refuse("invalid message format");
  }

 private:
  std::string_view rest_;
};

FrontendMessage read_startup(Reader& reader) {
  const std::int32_t code = reader.int32();
  if (code == codes::ssl_request || code == codes::gss_request) return EncryptionRequest{code == codes::gss_request};
  if (code == codes::cancel_request) {
    CancelRequest request;
    request.process_id = reader.uint32();
    request.secret = reader.uint32();
    return request;
  }
  if ((code >> 16) != 3) refuse("unsupported frontend protocol");
  Startup startup;
  while (true) {
    std::string name = reader.string();
    if (name.empty()) break;
    std::string value = reader.string();
    startup.parameters.emplace_back(std::move(name), std::move(value));
  }
  return startup;
}

char read_kind(Reader& reader, const char* message) {
  const char kind = reader.byte();
  if (kind == 'S' || kind == 'P') return kind;
  const int number = static_cast<unsigned char>(kind);
  throw SqlError(sqlstate::protocol_violation,
                 "invalid " + std::string(message) + " message subtype " + std::to_string(number));
}

FrontendMessage read_parse(Reader& reader) {
  Parse message;
  message.statement = reader.string();
  message.text = reader.string();
  message.parameter_types = reader.types();
  return message;
}

FrontendMessage read_bind(Reader& reader) {
  Bind message;
  message.portal = reader.string();
  message.statement = reader.string();
  message.parameter_formats = reader.formats();
  message.parameters = reader.values();
  message.result_formats = reader.formats();
  return message;
}

FrontendMessage read_frontend(char type, Reader& reader) {
  switch (type) {
    case 'Q':
      return Query{reader.string()};
    case 'P':
      return read_parse(reader);
    case 'B':
      return read_bind(reader);
    case 'D': {
      const char kind = read_kind(reader, "DESCRIBE");
      return Describe{kind, reader.string()};
    }
    case 'C': {
      const char kind = read_kind(reader, "CLOSE");
      return Close{kind, reader.string()};
    }
    case 'E': {
      std::string portal = reader.string();
      return Execute{std::move(portal), reader.int32()};
    }
    case 'S':
      return Sync{};
    case 'H':
      return Flush{};
    case 'X':
      return Terminate{};
    case 'd':
      return CopyData{reader.rest()};
    // Of these PostgreSQL reads no more than it wants.
    case 'c':
      reader.rest();
      return CopyDone{};
    case 'f': {
      CopyFail failure{reader.string()};
      reader.rest();
      return failure;
    }
    case 'F':
      throw SqlError(sqlstate::feature_not_supported, "function calls by the protocol are not supported");
    default:
      throw SqlError(sqlstate::protocol_violation,
                     "invalid frontend message type " + std::to_string(static_cast<unsigned char>(type)));
  }
}

bool is_frontend_type(char type) { return std::string_view("QPBDCEFSHXdcf").find(type) != std::string_view::npos; }

RowDescription read_row_description(Reader& reader) {
  RowDescription message;
  message.fields.resize(reader.count(19));
  for (FieldDescription& field : message.fields) {
    field.name = reader.string();
    field.table_oid = reader.uint32();
    field.column_number = reader.int16();
    field.type_oid = reader.uint32();
    field.type_size = reader.int16();
    field.type_modifier = static_cast<std::int32_t>(reader.uint32());
    field.format = reader.int16();
    if (field.format != 0 && field.format != 1) refuse("invalid format of a column");
  }
  return message;
}

int read_position(const std::string& text) {
  int position = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || position > 100'000'000) refuse("invalid error position");
    position = position * 10 + (c - '0');
  }
  return position;
}

Report read_report(bool notice, Reader& reader) {
  Report report;
  report.notice = notice;
  while (true) {
    const char code = reader.byte();
    if (code == '\0') return report;
    std::string text = reader.string();
    switch (code) {
      case 'S':
        report.severity = std::move(text);
        break;
      case 'C':
        report.fields.sqlstate = std::move(text);
        break;
      case 'M':
        report.fields.message = std::move(text);
        break;
      case 'D':
        report.fields.detail = std::move(text);
        break;
      case 'H':
        report.fields.hint = std::move(text);
        break;
      case 'W':
        report.fields.context = std::move(text);
        break;
      case 'P':
        report.fields.position = read_position(text);
        break;
      case 's':
        report.fields.object.schema = std::move(text);
        break;
      case 't':
        report.fields.object.table = std::move(text);
        break;
      case 'c':
        report.fields.object.column = std::move(text);
        break;
      case 'd':
        report.fields.object.data_type = std::move(text);
        break;
      case 'n':
        report.fields.object.constraint = std::move(text);
        break;
      default:
        break;  // fields this project does not use are to be ignored, as the protocol asks
    }
  }
}

template <typename Response>
Response read_copy_response(Reader& reader) {
  const char format = reader.byte();
  if (format != 0 && format != 1) refuse("invalid format of COPY");
  return Response{format == 1, reader.formats()};
}

BackendMessage read_backend(char type, Reader& reader) {
  switch (type) {
    case 'R':
      if (reader.uint32() != 0) refuse("authentication by this method is not supported");
      return AuthenticationOk{};
    case 'S': {
      std::string name = reader.string();
      return ParameterStatus{std::move(name), reader.string()};
    }
    case 'K': {
      BackendKeyData message;
      message.process_id = reader.uint32();
      message.secret = reader.uint32();
      return message;
    }
    case 'Z': {
      const char status = reader.byte();
      if (status != 'I' && status != 'T' && status != 'E') refuse("invalid transaction status");
      return ReadyForQuery{status};
    }
    case 'T':
      return read_row_description(reader);
    case 't':
      return ParameterDescription{reader.types()};
    case 'D':
      return DataRow{reader.values()};
    case 'C':
      return CommandComplete{reader.string()};
    case 'E':
      return read_report(false, reader);
    case 'N':
      return read_report(true, reader);
    case '1':
      return ParseComplete{};
    case '2':
      return BindComplete{};
    case '3':
      return CloseComplete{};
    case 'n':
      return NoData{};
    case 'I':
      return EmptyQueryResponse{};
    case 's':
      return PortalSuspended{};
    case 'G':
      return read_copy_response<CopyInResponse>(reader);
    case 'H':
      return read_copy_response<CopyOutResponse>(reader);
    case 'd':
      return CopyData{reader.rest()};
    case 'c':
      return CopyDone{};
    default:
      refuse("invalid backend message type");
  }
}

}  // namespace

bool operator==(const Report& a, const Report& b) {
  return a.notice == b.notice && a.severity == b.severity && a.fields.sqlstate == b.fields.sqlstate &&
         a.fields.message == b.fields.message && a.fields.detail == b.fields.detail && a.fields.hint == b.fields.hint &&
         a.fields.context == b.fields.context && a.fields.position == b.fields.position &&
         a.fields.object == b.fields.object;
}

void Decoder::discard_consumed() {
  if (consumed_ == buffer_.size()) {
    buffer_.clear();
    consumed_ = 0;
  } else if (consumed_ > 64 * 1024 && consumed_ > buffer_.size() / 2) {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
  }
}

std::optional<std::string_view> Decoder::cut(char* type, std::size_t max_bytes) {
  discard_consumed();
  const std::size_t header = type == nullptr ? 4 : 5;
  const std::string_view rest = std::string_view(buffer_).substr(consumed_);
  if (rest.size() < header) return std::nullopt;
  Reader reader(rest.substr(header - 4, 4));
  const std::uint32_t length = reader.uint32();
  if (length < 4 || length > max_bytes) refuse("invalid message length");
  const std::size_t total = header - 4 + length;
  if (rest.size() < total) return std::nullopt;
  if (type != nullptr) *type = rest[0];
  consumed_ += total;
  return rest.substr(header, total - header);
}

std::optional<FrontendMessage> Decoder::next_startup() {
  const auto body = cut(nullptr, max_startup_bytes);
  if (!body) return std::nullopt;
  Reader reader(*body);
  FrontendMessage message = read_startup(reader);
  reader.finish();
  return message;
}

std::optional<FrontendMessage> Decoder::next_frontend() {
  char type = '\0';
  const auto body = cut(&type, max_message_bytes);
  if (!body) return std::nullopt;
  try {
    Reader reader(*body);
    FrontendMessage message = read_frontend(type, reader);
    reader.finish();
    return message;
  } catch (const SqlError& error) {
    if (is_frontend_type(type)) throw MalformedMessage(type, error);
    throw;
  }
}

std::optional<BackendMessage> Decoder::next_backend() {
  char type = '\0';
  const auto body = cut(&type, max_message_bytes);
  if (!body) return std::nullopt;
  Reader reader(*body);
  BackendMessage message = read_backend(type, reader);
  reader.finish();
  return message;
}

}  // namespace polarsim::engine::pgwire
