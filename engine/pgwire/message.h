// The messages of PostgreSQL's frontend/backend protocol, version 3, and their bytes.
//
// Source: PostgreSQL 15 documentation, chapter "Frontend/Backend Protocol". Encoding and decoding are pure functions
// and inverse to each other. Decoding never trusts a length or a count: whatever the bytes are, the result is a
// message, "not yet complete", or SqlError 08P01.
//
// Not modelled: function call, password and SASL authentication, encryption (a request for it is declined), replication
// (and CopyBothResponse with it).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/types/error.h"

namespace polarsim::engine::pgwire {

inline constexpr std::int32_t protocol_version_3 = 196608;
inline constexpr std::size_t max_startup_bytes = 10'000;  // as PostgreSQL
inline constexpr std::size_t max_message_bytes = 64 * 1024 * 1024;

// NULL, or a value in text (or, by the format codes, binary) form.
using WireValue = std::optional<std::string>;

// --- from the client ---
struct Startup {
  std::vector<std::pair<std::string, std::string>> parameters;
  friend bool operator==(const Startup&, const Startup&) = default;
};
// A request for TLS or GSSAPI encryption; answered by 'N'.
struct EncryptionRequest {
  bool gss = false;
  friend bool operator==(const EncryptionRequest&, const EncryptionRequest&) = default;
};
struct CancelRequest {
  std::uint32_t process_id = 0;
  std::uint32_t secret = 0;
  friend bool operator==(const CancelRequest&, const CancelRequest&) = default;
};
struct Query {
  std::string text;
  friend bool operator==(const Query&, const Query&) = default;
};
struct Parse {
  std::string statement;
  std::string text;
  std::vector<std::uint32_t> parameter_types;
  friend bool operator==(const Parse&, const Parse&) = default;
};
struct Bind {
  std::string portal;
  std::string statement;
  std::vector<std::int16_t> parameter_formats;
  std::vector<WireValue> parameters;
  std::vector<std::int16_t> result_formats;
  friend bool operator==(const Bind&, const Bind&) = default;
};
// Both take 'S' for a statement or 'P' for a portal.
struct Describe {
  char kind = 'P';
  std::string name;
  friend bool operator==(const Describe&, const Describe&) = default;
};
struct Close {
  char kind = 'P';
  std::string name;
  friend bool operator==(const Close&, const Close&) = default;
};
struct Execute {
  std::string portal;
  std::int32_t max_rows = 0;
  friend bool operator==(const Execute&, const Execute&) = default;
};
struct Sync {
  friend bool operator==(const Sync&, const Sync&) = default;
};
struct Flush {
  friend bool operator==(const Flush&, const Flush&) = default;
};
struct Terminate {
  friend bool operator==(const Terminate&, const Terminate&) = default;
};
// --- COPY; the first two go either way ---
struct CopyData {
  std::string bytes;
  friend bool operator==(const CopyData&, const CopyData&) = default;
};
struct CopyDone {
  friend bool operator==(const CopyDone&, const CopyDone&) = default;
};
// The client gives up COPY ... FROM STDIN.
struct CopyFail {
  std::string message;
  friend bool operator==(const CopyFail&, const CopyFail&) = default;
};
using FrontendMessage = std::variant<Startup, EncryptionRequest, CancelRequest, Query, Parse, Bind, Describe, Close,
                                     Execute, Sync, Flush, Terminate, CopyData, CopyDone, CopyFail>;

// --- from the server ---
struct AuthenticationOk {
  friend bool operator==(const AuthenticationOk&, const AuthenticationOk&) = default;
};
struct ParameterStatus {
  std::string name;
  std::string value;
  friend bool operator==(const ParameterStatus&, const ParameterStatus&) = default;
};
struct BackendKeyData {
  std::uint32_t process_id = 0;
  std::uint32_t secret = 0;
  friend bool operator==(const BackendKeyData&, const BackendKeyData&) = default;
};
struct ReadyForQuery {
  char status = 'I';
  friend bool operator==(const ReadyForQuery&, const ReadyForQuery&) = default;
};
struct FieldDescription {
  std::string name;
  std::uint32_t table_oid = 0;     // of the table or view whose column it is; 0: of none
  std::int16_t column_number = 0;  // in that
  std::uint32_t type_oid = 0;
  std::int16_t type_size = -1;
  std::int32_t type_modifier = -1;
  std::int16_t format = 0;  // 1: binary
  friend bool operator==(const FieldDescription&, const FieldDescription&) = default;
};
struct RowDescription {
  std::vector<FieldDescription> fields;
  friend bool operator==(const RowDescription&, const RowDescription&) = default;
};
struct ParameterDescription {
  std::vector<std::uint32_t> types;
  friend bool operator==(const ParameterDescription&, const ParameterDescription&) = default;
};
struct DataRow {
  std::vector<WireValue> values;
  friend bool operator==(const DataRow&, const DataRow&) = default;
};
struct CommandComplete {
  std::string tag;
  friend bool operator==(const CommandComplete&, const CommandComplete&) = default;
};
// An ErrorResponse (severity ERROR, FATAL or PANIC) or a NoticeResponse (WARNING, NOTICE, ...).
struct Report {
  bool notice = false;
  std::string severity;
  ErrorFields fields;
  friend bool operator==(const Report& a, const Report& b);
};
struct ParseComplete {
  friend bool operator==(const ParseComplete&, const ParseComplete&) = default;
};
struct BindComplete {
  friend bool operator==(const BindComplete&, const BindComplete&) = default;
};
struct CloseComplete {
  friend bool operator==(const CloseComplete&, const CloseComplete&) = default;
};
struct NoData {
  friend bool operator==(const NoData&, const NoData&) = default;
};
// Of Execute with a limit: there are more rows.
struct PortalSuspended {
  friend bool operator==(const PortalSuspended&, const PortalSuspended&) = default;
};
struct EmptyQueryResponse {
  friend bool operator==(const EmptyQueryResponse&, const EmptyQueryResponse&) = default;
};
// The client is to send, or will be sent, the rows of a COPY. Formats are 0 (text) or 1; `formats` has one for each
// column.
struct CopyInResponse {
  bool binary = false;
  std::vector<std::int16_t> formats;
  friend bool operator==(const CopyInResponse&, const CopyInResponse&) = default;
};
struct CopyOutResponse {
  bool binary = false;
  std::vector<std::int16_t> formats;
  friend bool operator==(const CopyOutResponse&, const CopyOutResponse&) = default;
};
using BackendMessage =
    std::variant<AuthenticationOk, ParameterStatus, BackendKeyData, ReadyForQuery, RowDescription, ParameterDescription,
                 DataRow, CommandComplete, Report, ParseComplete, BindComplete, CloseComplete, NoData,
                 EmptyQueryResponse, CopyInResponse, CopyOutResponse, CopyData, CopyDone, PortalSuspended>;

// Appends the message's bytes to `out`. Throws SqlError 08P01 for what the protocol cannot say: a NUL byte in a name or
// text, more than 32767 values in a row.
void append(std::string& out, const FrontendMessage& message);
void append(std::string& out, const BackendMessage& message);
// The same as of CopyData, without a copy of the bytes.
void append_copy_data(std::string& out, std::string_view bytes);

// A message of the client that is whole, and whose body makes no sense: what comes behind it can be read.
class MalformedMessage : public SqlError {
 public:
  MalformedMessage(char type, const SqlError& error) : SqlError(error.fields()), type_(type) {}
  char type() const { return type_; }

 private:
  char type_;
};

// Cuts a byte stream into messages. One decoder serves one direction of one connection.
class Decoder {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  // The next complete message, or nothing yet. A frontend begins with untagged messages (next_startup) until Startup.
  // Throws SqlError 08P01; the stream is then beyond repair, unless it is a MalformedMessage.
  std::optional<FrontendMessage> next_startup();
  std::optional<FrontendMessage> next_frontend();
  std::optional<BackendMessage> next_backend();
  // What the next message is to be, as soon as that can be told; it is not taken.
  std::optional<char> next_type() const { return buffered() == 0 ? std::nullopt : std::optional(buffer_[consumed_]); }
  std::size_t buffered() const { return buffer_.size() - consumed_; }

 private:
  // The body of the next message if all its bytes are there; `type` is untouched for untagged ones.
  std::optional<std::string_view> cut(char* type, std::size_t max_bytes);
  void discard_consumed();
  std::string buffer_;
  std::size_t consumed_ = 0;
};

}  // namespace polarsim::engine::pgwire
