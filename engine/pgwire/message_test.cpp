// The codec: what is encoded is decoded again, in whatever pieces it arrives; rubbish is refused and nothing else
// happens.
#include "engine/pgwire/message.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "engine/pgwire/backend_values.h"

namespace polarsim::engine::pgwire {
namespace {

rc::Gen<std::string> any_text() { return rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)); }
rc::Gen<std::string> any_name() { return rc::gen::nonEmpty(any_text()); }
rc::Gen<std::vector<WireValue>> any_values() {
  return rc::gen::container<std::vector<WireValue>>(rc::gen::oneOf(
      rc::gen::just(WireValue()),
      rc::gen::map(rc::gen::arbitrary<std::string>(), [](std::string text) { return WireValue(std::move(text)); })));
}
template <typename T>
rc::Gen<std::vector<T>> any_list() {
  return rc::gen::arbitrary<std::vector<T>>();
}

FrontendMessage any_frontend() {
  const char kind = *rc::gen::element('S', 'P');
  switch (*rc::gen::inRange(0, 12)) {
    case 0:
      return Query{*any_text()};
    case 1: {
      std::string name = *any_text();
      std::string text = *any_text();
      return Parse{std::move(name), std::move(text), *any_list<std::uint32_t>()};
    }
    case 2: {
      Bind bind;
      bind.portal = *any_text();
      bind.statement = *any_text();
      bind.parameter_formats = *any_list<std::int16_t>();
      bind.parameters = *any_values();
      bind.result_formats = *any_list<std::int16_t>();
      return bind;
    }
    case 3:
      return Describe{kind, *any_text()};
    case 4:
      return Close{kind, *any_text()};
    case 5: {
      std::string portal = *any_text();
      return Execute{std::move(portal), *rc::gen::arbitrary<std::int32_t>()};
    }
    case 6:
      return Sync{};
    case 7:
      return Flush{};
    case 8:
      return CopyData{*rc::gen::arbitrary<std::string>()};
    case 9:
      return CopyDone{};
    case 10:
      return CopyFail{*any_text()};
    default:
      return Terminate{};
  }
}

BackendMessage any_backend() {
  switch (*rc::gen::inRange(0, 18)) {
    case 0:
      return AuthenticationOk{};
    case 1: {
      std::string name = *any_text();
      return ParameterStatus{std::move(name), *any_text()};
    }
    case 2:
      return BackendKeyData{*rc::gen::arbitrary<std::uint32_t>(), 7};
    case 3:
      return ReadyForQuery{*rc::gen::element('I', 'T', 'E')};
    case 4: {
      RowDescription description;
      for (std::string& name : *any_list<std::string>()) {
        std::erase(name, '\0');
        description.fields.push_back(FieldDescription{std::move(name), *rc::gen::arbitrary<std::uint32_t>(),
                                                      *rc::gen::arbitrary<std::int16_t>(), 23, 4, -1,
                                                      *rc::gen::element<std::int16_t>(0, 1)});
      }
      return description;
    }
    case 5:
      return ParameterDescription{*any_list<std::uint32_t>()};
    case 6:
      return DataRow{*any_values()};
    case 7:
      return CommandComplete{*any_text()};
    case 8: {
      Report report;
      report.notice = *rc::gen::arbitrary<bool>();
      report.severity = *any_name();
      report.fields.sqlstate = *any_name();
      report.fields.message = *any_name();
      report.fields.detail = *any_text();
      report.fields.hint = *any_text();
      report.fields.context = *any_text();
      report.fields.position = *rc::gen::inRange(0, 100'000);
      return report;
    }
    case 9:
      return ParseComplete{};
    case 10:
      return BindComplete{};
    case 11:
      return NoData{};
    case 12:
      return CopyInResponse{*rc::gen::arbitrary<bool>(), *any_list<std::int16_t>()};
    case 13:
      return CopyOutResponse{*rc::gen::arbitrary<bool>(), *any_list<std::int16_t>()};
    case 14:
      return CopyData{*rc::gen::arbitrary<std::string>()};
    case 15:
      return CopyDone{};
    case 16:
      return PortalSuspended{};
    default:
      return EmptyQueryResponse{};
  }
}

// Feeds `bytes` in pieces and collects what comes out.
template <typename Message, typename Next>
std::vector<Message> decode_in_pieces(const std::string& bytes, Next next) {
  Decoder decoder;
  std::vector<Message> messages;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t piece = *rc::gen::inRange<std::size_t>(1, 40);
    decoder.feed(std::string_view(bytes).substr(at, piece));
    at += piece;
    while (auto message = next(decoder)) messages.push_back(std::move(*message));
  }
  RC_ASSERT(decoder.buffered() == 0U);
  return messages;
}

RC_GTEST_PROP(Message, FrontendComesBackInWhateverPieces, ()) {
  std::vector<FrontendMessage> sent;
  std::string bytes;
  const int count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) {
    sent.push_back(any_frontend());
    append(bytes, sent.back());
  }
  RC_ASSERT(decode_in_pieces<FrontendMessage>(bytes, [](Decoder& decoder) { return decoder.next_frontend(); }) == sent);
}

RC_GTEST_PROP(Message, BackendComesBackInWhateverPieces, ()) {
  std::vector<BackendMessage> sent;
  std::string bytes;
  const int count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) {
    sent.push_back(any_backend());
    append(bytes, sent.back());
  }
  RC_ASSERT(decode_in_pieces<BackendMessage>(bytes, [](Decoder& decoder) { return decoder.next_backend(); }) == sent);
}

RC_GTEST_PROP(Message, StartupComesBack, ()) {
  Startup startup;
  for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
    std::string name = *any_name();
    startup.parameters.emplace_back(std::move(name), *any_text());
  }
  std::string bytes;
  append(bytes, FrontendMessage(startup));
  Decoder decoder;
  decoder.feed(bytes);
  RC_ASSERT(decoder.next_startup() == std::optional<FrontendMessage>(startup));
}

// Counts have no sign: PostgreSQL's clients send up to 65535 parameters.
TEST(Message, ABindMayHaveMoreThan32767Parameters) {
  Bind bind;
  bind.parameters.assign(65535, WireValue("1"));
  std::string bytes;
  append(bytes, FrontendMessage(bind));
  Decoder decoder;
  decoder.feed(bytes);
  EXPECT_EQ(decoder.next_frontend(), std::optional<FrontendMessage>(bind));
  bind.parameters.emplace_back("1");
  EXPECT_THROW(append(bytes, FrontendMessage(bind)), SqlError);
}

// Any bytes give messages, patience or 08P01, a function call 0A000: no crash, no other exception, no endless loop.
template <typename Next>
void survives(const std::string& bytes, Next next) {
  Decoder decoder;
  decoder.feed(bytes);
  try {
    std::size_t before = decoder.buffered();
    while (next(decoder)) {
      RC_ASSERT(decoder.buffered() < before);
      before = decoder.buffered();
    }
  } catch (const SqlError& error) {
    const bool call = error.sqlstate() == sqlstate::feature_not_supported &&
                      error.fields().message == "function calls by the protocol are not supported";
    RC_ASSERT(call || error.sqlstate() == "08P01");
  }
}

RC_GTEST_PROP(Message, RubbishIsRefused, (std::string bytes)) {
  survives(bytes, [](Decoder& decoder) { return decoder.next_startup(); });
  survives(bytes, [](Decoder& decoder) { return decoder.next_frontend(); });
  survives(bytes, [](Decoder& decoder) { return decoder.next_backend(); });
}

RC_GTEST_PROP(Message, AFlippedBitIsNoDanger, ()) {
  std::string bytes;
  const bool frontend = *rc::gen::arbitrary<bool>();
  if (frontend) {
    append(bytes, any_frontend());
  } else {
    append(bytes, any_backend());
  }
  const std::size_t at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << *rc::gen::inRange(0, 8)));
  survives(bytes, [](Decoder& decoder) { return decoder.next_frontend(); });
  survives(bytes, [](Decoder& decoder) { return decoder.next_backend(); });
}

TEST(Message, RefusesLengthsThatCannotBe) {
  const auto refused = [](std::string_view bytes) {
    Decoder decoder;
    decoder.feed(bytes);
    EXPECT_THROW(decoder.next_frontend(), SqlError);
  };
  refused(std::string_view("Q\0\0\0\3", 5));    // shorter than the length itself
  refused(std::string_view("Q\x7F\0\0\0", 5));  // longer than any message
  refused(std::string_view("Q\xFF\xFF\xFF\xFF", 5));
  refused(std::string_view("Q\0\0\0\6ab", 7));                  // no end of the string
  refused(std::string_view("S\0\0\0\5x", 6));                   // more than the message has
  refused(std::string_view("B\0\0\0\12\0\0\x7F\xFF\0\0", 11));  // more items than bytes
  refused(std::string_view("?\0\0\0\4", 5));
  Decoder startup;
  startup.feed(std::string_view("\0\0\x27\x11\0\3\0\0", 8));  // 10001 bytes
  EXPECT_THROW(startup.next_startup(), SqlError);
}

TEST(Message, IsThatOfPostgreSQL) {
  std::string bytes;
  append(bytes, FrontendMessage(Query{"SELECT 1"}));
  EXPECT_EQ(bytes, std::string("Q\0\0\0\x0DSELECT 1\0", 14));
  bytes.clear();
  append(bytes, BackendMessage(DataRow{{WireValue("7"), std::nullopt}}));
  EXPECT_EQ(bytes, std::string("D\0\0\0\x0F\0\2\0\0\0\1"
                               "7\xFF\xFF\xFF\xFF",
                               16));
  bytes.clear();
  append(bytes, BackendMessage(CopyInResponse{false, {0, 0}}));
  EXPECT_EQ(bytes, std::string("G\0\0\0\x0B\0\0\2\0\0\0\0", 12));
  bytes.clear();
  append_copy_data(bytes, std::string_view("a\0b", 3));
  EXPECT_EQ(bytes, std::string("d\0\0\0\7a\0b", 8));
  bytes.clear();
  append(bytes, FrontendMessage(Startup{{{"user", "u"}}}));
  EXPECT_EQ(bytes, std::string("\0\0\0\x10\0\3\0\0user\0u\0\0", 16));
  EXPECT_THROW(append(bytes, FrontendMessage(Query{std::string("a\0b", 3)})), SqlError);
  EXPECT_EQ(bytes.size(), 16U) << "half a message would spoil the stream";
}

TEST(Message, RowsThatFitInNoneAreErrors) {
  const std::vector<ResultColumn> columns{{"a", TypeId::text}, {"b", TypeId::text}};
  const Row row{Value::text("12345"), Value::text("123456")};
  const CallContext context;
  DataRow data;
  write_row(row, columns, {}, context, data, 22);  // a count, two lengths and the texts have 21 bytes
  EXPECT_EQ(data, (DataRow{{WireValue("12345"), WireValue("123456")}}));
  try {
    write_row(row, columns, {}, context, data, 21);
    ADD_FAILURE();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.sqlstate(), "54000");
    EXPECT_EQ(error.fields().detail, "Cannot enlarge string buffer containing 15 bytes by 6 more bytes.");
  }
}

}  // namespace
}  // namespace polarsim::engine::pgwire
