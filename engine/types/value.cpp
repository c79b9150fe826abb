#include "engine/types/value.h"

#include <bit>
#include <cstring>
#include <new>
#include <stdexcept>

#include "engine/types/array.h"
#include "engine/types/error.h"
#include "engine/types/interval.h"
#include "engine/types/json.h"
#include "engine/types/numeric.h"
#include "engine/types/record.h"

namespace polarsim::engine {
namespace {

// What PostgreSQL keeps in one piece of memory (MaxAllocSize), with a header.
constexpr std::size_t header_bytes = 4;
constexpr std::size_t text_bytes_max = 0x3fffffff - header_bytes;

template <typename T>
class Payload final : public SharedPayload {
 public:
  explicit Payload(T value) : held(std::move(value)) {}
  const T held;
};

// A long text lies behind its header, in one piece of memory.
class TextPayload final : public SharedPayload {
 public:
  static TextPayload* make(std::string_view text) {
    if (text.size() > text_bytes_max) {
      throw SqlError(sqlstate::internal_error,
                     "invalid memory alloc request size " + std::to_string(text.size() + header_bytes));
    }
    void* const memory = ::operator new(sizeof(TextPayload) + text.size());
    auto* const made = new (memory) TextPayload(text.size());
    text.copy(made->bytes(), text.size());
    return made;
  }
  static void operator delete(void* memory) { ::operator delete(memory); }
  std::string_view text() const { return {const_cast<TextPayload*>(this)->bytes(), size_}; }

 private:
  explicit TextPayload(std::size_t size) : size_(size) {}
  char* bytes() { return reinterpret_cast<char*>(this + 1); }

  std::size_t size_;
};

template <typename T>
const T& held(const SharedPayload* payload) {
  return static_cast<const Payload<T>*>(payload)->held;
}

}  // namespace

Value::Value(Kind kind, const SharedPayload* payload) : Value(kind, std::bit_cast<std::int64_t>(payload)) {
  ++payload->references_;
}

void Value::release() {
  const SharedPayload* shared = payload();
  if (--shared->references_ == 0) delete shared;
}

void Value::throw_wrong_kind(Kind wanted) const {
  throw std::logic_error("a value of kind " + std::to_string(static_cast<int>(kind())) + " was read as one of kind " +
                         std::to_string(static_cast<int>(wanted)));
}

Value Value::floating(double value) { return Value(Kind::floating, std::bit_cast<std::int64_t>(value)); }

Value Value::text(std::string_view value) {
  if (value.size() > short_text_max) return Value(Kind::long_text, TextPayload::make(value));
  std::uint64_t words[2] = {0, 0};
  // An empty view may have no data, which memcpy() must not be given.
  if (!value.empty()) std::memcpy(words, value.data(), value.size());
  words[1] |= std::uint64_t{value.size()} << length_shift | static_cast<std::uint64_t>(Kind::short_text) << kind_shift;
  return Value(words[0], words[1]);
}

Value Value::numeric(Numeric value) { return Value(Kind::numeric, new Payload<Numeric>(std::move(value))); }
Value Value::interval(const Interval& value) { return Value(Kind::interval, new Payload<Interval>(value)); }
Value Value::json(Json value) { return Value(Kind::json, new Payload<Json>(std::move(value))); }
Value Value::array(Array value) { return Value(Kind::array, new Payload<Array>(std::move(value))); }
Value Value::record(Record value) { return Value(Kind::record, new Payload<Record>(std::move(value))); }

double Value::as_floating() const {
  require(Kind::floating);
  return std::bit_cast<double>(word());
}

std::string_view Value::as_text() const {
  if (kind() == Kind::short_text) return {reinterpret_cast<const char*>(this), high_ >> length_shift & 0xff};
  require(Kind::long_text);
  return static_cast<const TextPayload*>(payload())->text();
}

const Numeric& Value::as_numeric() const {
  require(Kind::numeric);
  return held<Numeric>(payload());
}

const Interval& Value::as_interval() const {
  require(Kind::interval);
  return held<Interval>(payload());
}

const Json& Value::as_json() const {
  require(Kind::json);
  return held<Json>(payload());
}

const Array& Value::as_array() const {
  require(Kind::array);
  return held<Array>(payload());
}

const Record& Value::as_record() const {
  require(Kind::record);
  return held<Record>(payload());
}

bool operator==(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Value::Kind::null:
      return true;
    case Value::Kind::boolean:
    case Value::Kind::integer:
      return a.word() == b.word();
    case Value::Kind::floating:
      return a.word() == b.word();
    case Value::Kind::short_text:
    case Value::Kind::long_text:
      return a.as_text() == b.as_text();
    case Value::Kind::numeric:
      return a.payload() == b.payload() || a.as_numeric() == b.as_numeric();
    case Value::Kind::interval:
      return a.as_interval() == b.as_interval();
    case Value::Kind::json:
      return a.payload() == b.payload() || a.as_json() == b.as_json();
    case Value::Kind::array:
      return a.payload() == b.payload() || a.as_array() == b.as_array();
    case Value::Kind::record:
      return a.payload() == b.payload() || a.as_record() == b.as_record();
  }
  return false;
}

}  // namespace polarsim::engine
