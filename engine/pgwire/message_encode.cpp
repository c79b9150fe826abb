// Messages to bytes.
#include <limits>

#include "engine/pgwire/message.h"
#include "engine/pgwire/message_codes.h"

namespace polarsim::engine::pgwire {

namespace {

using codes::refuse;

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
  if (count > std::numeric_limits<std::uint16_t>::max()) refuse("too many values in one message");
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
    put_uint32(out, static_cast<std::uint32_t>(message.gss ? codes::gss_request : codes::ssl_request));
    frame.finish();
  }
  void operator()(const CancelRequest& message) const {
    Framed frame(out, '\0');
    put_uint32(out, static_cast<std::uint32_t>(codes::cancel_request));
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
  void operator()(const CopyData& message) const { append_copy_data(out, message.bytes); }
  void operator()(const CopyDone&) const { Framed(out, 'c').finish(); }
  void operator()(const CopyFail& message) const {
    Framed frame(out, 'f');
    put_string(out, message.message);
    frame.finish();
  }
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
      put_uint32(out, field.table_oid);
      put_uint16(out, static_cast<std::uint16_t>(field.column_number));
      put_uint32(out, field.type_oid);
      put_uint16(out, static_cast<std::uint16_t>(field.type_size));
      put_uint32(out, static_cast<std::uint32_t>(field.type_modifier));
      put_uint16(out, static_cast<std::uint16_t>(field.format));
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
    const ErrorObject& object = message.fields.object;
    put_field(out, 's', object.schema);
    put_field(out, 't', object.table);
    put_field(out, 'c', object.column);
    put_field(out, 'd', object.data_type);
    put_field(out, 'n', object.constraint);
    out.push_back('\0');
    frame.finish();
  }
  void empty(char type) const { Framed(out, type).finish(); }
  void operator()(const ParseComplete&) const { empty('1'); }
  void operator()(const BindComplete&) const { empty('2'); }
  void operator()(const CloseComplete&) const { empty('3'); }
  void operator()(const NoData&) const { empty('n'); }
  void operator()(const EmptyQueryResponse&) const { empty('I'); }
  void operator()(const PortalSuspended&) const { empty('s'); }
  void copy(char type, bool binary, const std::vector<std::int16_t>& formats) const {
    Framed frame(out, type);
    out.push_back(binary ? '\1' : '\0');
    put_formats(out, formats);
    frame.finish();
  }
  void operator()(const CopyInResponse& message) const { copy('G', message.binary, message.formats); }
  void operator()(const CopyOutResponse& message) const { copy('H', message.binary, message.formats); }
  void operator()(const CopyData& message) const { append_copy_data(out, message.bytes); }
  void operator()(const CopyDone&) const { empty('c'); }
};

// A message that cannot be said leaves `out` as it was: half a message would desynchronise the stream.
template <typename Writer, typename Message>
void append_whole(std::string& out, const Message& message) {
  const std::size_t before = out.size();
  try {
    std::visit(Writer{out}, message);
  } catch (const SqlError&) {
    out.resize(before);
    throw;
  }
}

}  // namespace

void append_copy_data(std::string& out, std::string_view bytes) {
  Framed frame(out, 'd');
  out.append(bytes);
  frame.finish();
}

void append(std::string& out, const FrontendMessage& message) { append_whole<FrontendWriter>(out, message); }
void append(std::string& out, const BackendMessage& message) { append_whole<BackendWriter>(out, message); }

}  // namespace polarsim::engine::pgwire
