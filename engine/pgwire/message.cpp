#include "engine/pgwire/message.h"

#include <limits>

namespace polarsim::engine::pgwire {

namespace {

constexpr std::int32_t cancel_request_code = 80877102;
constexpr std::int32_t ssl_request_code = 80877103;
constexpr std::int32_t gss_request_code = 80877104;

[[noreturn]] void refuse(const char* message) { throw SqlError(sqlstate::protocol_violation, message); }

// --- writing ---

void put_uint32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>((value >> shift) & 0xFFU));
}
void put_uint16(std::string& out, std::uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xFFU));
}
void put_string(std::string& out, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) refuse("a protocol string must not contain a null byte");
  out.append(text);
  out.push_back('\0');
}
void put_count(std::string& out, std::size_t count) {
  if (count > static_cast<std::size_t>(std::numeric_limits<std::int16_t>::max())) refuse("too many values in one message");
  put_uint16(out, static_cast<std::uint16_t>(count));
}
void put_values(std::string& out, const std::vector<WireValue>& values) {
  put_count(out, values.size());
  for (const WireValue& value : values) {
    if (!value) {
      put_uint32(out, 0xFFFFFFFFU);
      continue;
    }
    put_uint32(out, static_cast<std::uint32_t>(value->size()));
    out.append(*value);
  }
}
void put_formats(std::string& out, const std::vector<std::int16_t>& formats) {
  put_count(out, formats.size());
  for (const std::int16_t format : formats) put_uint16(out, static_cast<std::uint16_t>(format));
}
void put_types(std::string& out, const std::vector<std::uint32_t>& types) {
  put_count(out, types.size());
  for (const std::uint32_t type : types) put_uint32(out, type);
}

// Opens a message, and writes its length when it is complete.
class Framed {
 public:
  Framed(std::string& out, char type) : out_(out) {
    if (type != '\0') out_.push_back(type);
    length_at_ = out_.size();
    out_.append(4, '\0');
  }
  void finish() {
    const auto length = static_cast<std::uint32_t>(out_.size() - length_at_);
    for (std::size_t i = 0; i < 4; ++i) out_[length_at_ + i] = static_cast<char>((length >> (24 - 8 * i)) & 0xFFU);
  }

 private:
  std::string& out_;
  std::size_t length_at_ = 0;
};

struct FrontendWriter {
  std::string& out;

  void operator()(const Startup& message) const {
    Framed frame(out, '\0');
    put_uint32(out, static_cast<std::uint32_t>(protocol_version_3));
    for (const auto& [name, value] : message.parameters) {
      if (name.empty()) refuse("a startup parameter needs a name");
      put_string(out, name);
      put_string(out, value);
    }
    out.push_back('\0');
    frame.finish();
  }
  void operator()(const EncryptionRequest& message) const {
    Framed frame(out, '\0');
    put_uint32(out, static_cast<std::uint32_t>(message.gss ? gss_request_code : ssl_request_code));
    frame.finish();
  }
  void operator()(const CancelRequest& message) const {
    Framed frame(out, '\0');
    put_uint32(out, static_cast<std::uint32_t>(cancel_request_code));
    put_uint32(out, message.process_id);
    put_uint32(out, message.secret);
    frame.finish();
  }
  void operator()(const Query& message) const {
    Framed frame(out, 'Q');
    put_string(out, message.text);
    frame.finish();
  }
  void operator()(const Parse& message) const {
    Framed frame(out, 'P');
    put_string(out, message.statement);
    put_string(out, message.text);
    put_types(out, message.parameter_types);
    frame.finish();
  }
  void operator()(const Bind& message) const {
    Framed frame(out, 'B');
    put_string(out, message.portal);
    put_string(out, message.statement);
    put_formats(out, message.parameter_formats);
    put_values(out, message.parameters);
    put_formats(out, message.result_formats);
    frame.finish();
  }
  void named(char type, char kind, const std::string& name) const {
    Framed frame(out, type);
    out.push_back(kind);
    put_string(out, name);
    frame.finish();
  }
  void operator()(const Describe& message) const { named('D', message.kind, message.name); }
  void operator()(const Close& message) const { named('C', message.kind, message.name); }
  void operator()(const Execute& message) const {
    Framed frame(out, 'E');
    put_string(out, message.portal);
    put_uint32(out, static_cast<std::uint32_t>(message.max_rows));
    frame.finish();
  }
  void operator()(const Sync&) const { Framed(out, 'S').finish(); }
  void operator()(const Flush&) const { Framed(out, 'H').finish(); }
  void operator()(const Terminate&) const { Framed(out, 'X').finish(); }
};

void put_field(std::string& out, char code, const std::string& text) {
  if (text.empty()) return;
  out.push_back(code);
  put_string(out, text);
}

struct BackendWriter {
  std::string& out;

  void operator()(const AuthenticationOk&) const {
    Framed frame(out, 'R');
    put_uint32(out, 0);
    frame.finish();
  }
  void operator()(const ParameterStatus& message) const {
    Framed frame(out, 'S');
    put_string(out, message.name);
    put_string(out, message.value);
    frame.finish();
  }
  void operator()(const BackendKeyData& message) const {
    Framed frame(out, 'K');
    put_uint32(out, message.process_id);
    put_uint32(out, message.secret);
    frame.finish();
  }
  void operator()(const ReadyForQuery& message) const {
    Framed frame(out, 'Z');
    out.push_back(message.status);
    frame.finish();
  }
  void operator()(const RowDescription& message) const {
    Framed frame(out, 'T');
    put_count(out, message.fields.size());
    for (const FieldDescription& field : message.fields) {
      put_string(out, field.name);
      put_uint32(out, 0);  // no table
      put_uint16(out, 0);  // no column
      put_uint32(out, field.type_oid);
      put_uint16(out, static_cast<std::uint16_t>(field.type_size));
      put_uint32(out, 0xFFFFFFFFU);  // no type modifier
      put_uint16(out, 0);            // text format
    }
    frame.finish();
  }
  void operator()(const ParameterDescription& message) const {
    Framed frame(out, 't');
    put_types(out, message.types);
    frame.finish();
  }
  void operator()(const DataRow& message) const {
    Framed frame(out, 'D');
    put_values(out, message.values);
    frame.finish();
  }
  void operator()(const CommandComplete& message) const {
    Framed frame(out, 'C');
    put_string(out, message.tag);
    frame.finish();
  }
  void operator()(const Report& message) const {
    Framed frame(out, message.notice ? 'N' : 'E');
    put_field(out, 'S', message.severity);
    put_field(out, 'V', message.severity);
    put_field(out, 'C', message.fields.sqlstate);
    put_field(out, 'M', message.fields.message);
    put_field(out, 'D', message.fields.detail);
    put_field(out, 'H', message.fields.hint);
    put_field(out, 'W', message.fields.context);
    if (message.fields.position > 0) put_field(out, 'P', std::to_string(message.fields.position));
    out.push_back('\0');
    frame.finish();
  }
  void empty(char type) const { Framed(out, type).finish(); }
  void operator()(const ParseComplete&) const { empty('1'); }
  void operator()(const BindComplete&) const { empty('2'); }
  void operator()(const CloseComplete&) const { empty('3'); }
  void operator()(const NoData&) const { empty('n'); }
  void operator()(const EmptyQueryResponse&) const { empty('I'); }
};

// --- reading ---

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
  // How many items of at least `item_bytes` follow; a count the body cannot hold is refused before anything is allocated.
  std::size_t count(std::size_t item_bytes) {
    const std::int16_t value = int16();
    if (value < 0 || static_cast<std::size_t>(value) * item_bytes > rest_.size()) refuse("insufficient data left in message");
    return static_cast<std::size_t>(value);
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
  bool done() const { return rest_.empty(); }
  void finish() const {
    if (!done()) refuse("invalid message format");
  }

 private:
  std::string_view rest_;
};

FrontendMessage read_startup(Reader& reader) {
  const std::int32_t code = reader.int32();
  if (code == ssl_request_code || code == gss_request_code) return EncryptionRequest{code == gss_request_code};
  if (code == cancel_request_code) {
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

char read_kind(Reader& reader) {
  const char kind = reader.byte();
  if (kind != 'S' && kind != 'P') refuse("invalid DESCRIBE or CLOSE message subtype");
  return kind;
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
      const char kind = read_kind(reader);
      return Describe{kind, reader.string()};
    }
    case 'C': {
      const char kind = read_kind(reader);
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
    default:
      refuse("invalid frontend message type");
  }
}

RowDescription read_row_description(Reader& reader) {
  RowDescription message;
  message.fields.resize(reader.count(19));
  for (FieldDescription& field : message.fields) {
    field.name = reader.string();
    reader.bytes(6);
    field.type_oid = reader.uint32();
    field.type_size = reader.int16();
    reader.bytes(4);
    if (reader.int16() != 0) refuse("a column in binary format was not asked for");
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
      case 'S': report.severity = std::move(text); break;
      case 'C': report.fields.sqlstate = std::move(text); break;
      case 'M': report.fields.message = std::move(text); break;
      case 'D': report.fields.detail = std::move(text); break;
      case 'H': report.fields.hint = std::move(text); break;
      case 'W': report.fields.context = std::move(text); break;
      case 'P': report.fields.position = read_position(text); break;
      default: break;  // fields this project does not use are to be ignored, as the protocol asks
    }
  }
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
    default:
      refuse("invalid backend message type");
  }
}

}  // namespace

bool operator==(const Report& a, const Report& b) {
  return a.notice == b.notice && a.severity == b.severity && a.fields.sqlstate == b.fields.sqlstate &&
         a.fields.message == b.fields.message && a.fields.detail == b.fields.detail && a.fields.hint == b.fields.hint &&
         a.fields.context == b.fields.context && a.fields.position == b.fields.position;
}

// A message that cannot be said leaves `out` as it was: half a message would desynchronise the stream.
template <typename Writer, typename Message>
static void append_whole(std::string& out, const Message& message) {
  const std::size_t before = out.size();
  try {
    std::visit(Writer{out}, message);
  } catch (const SqlError&) {
    out.resize(before);
    throw;
  }
}
void append(std::string& out, const FrontendMessage& message) { append_whole<FrontendWriter>(out, message); }
void append(std::string& out, const BackendMessage& message) { append_whole<BackendWriter>(out, message); }

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
  Reader reader(*body);
  FrontendMessage message = read_frontend(type, reader);
  reader.finish();
  return message;
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
