// SQL values.
//
// A value is NULL or holds the representation of its type; which type that is, is known from where the value stands (a
// column, an expression), not from the value. Several types share a representation:
//
//   boolean                                  boolean
//   smallint, integer, bigint, oid, xid      integer (int64)
//   date                                     integer: days since 2000-01-01; datetime.h says what infinity is
//   time, timestamp, timestamptz             integer: microseconds since midnight, since 2000-01-01 (UTC)
//   real, double precision                   floating (a real is a double that holds a float exactly)
//   text, varchar, char(n), name, json       text: bytes in UTF-8 (char(n) with its blanks)
//   bytea, uuid                              text: the bytes themselves (16 of a uuid)
//   numeric                                  numeric.h
//   interval                                 interval.h
//   jsonb                                    json.h
//   arrays                                   array.h
//   rows                                     record.h
//
// 16 bytes. Texts of up to 14 bytes lie inside; longer ones and everything else lie in a shared, immutable payload, so
// that copies are cheap. Like the whole simulation, values belong to one thread.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace polarsim::engine {

class Numeric;
class Interval;
class Json;
class Array;
class Record;

// What a value points to. Derived classes are immutable once a value holds them.
class SharedPayload {
 public:
  SharedPayload() = default;
  SharedPayload(const SharedPayload&) = delete;
  SharedPayload& operator=(const SharedPayload&) = delete;
  virtual ~SharedPayload() = default;

 private:
  friend class Value;
  mutable std::uint32_t references_ = 0;
};

class Value {
 public:
  enum class Kind : std::uint8_t {
    null,
    boolean,
    integer,
    floating,
    short_text,
    long_text,
    numeric,
    interval,
    json,
    array,
    record
  };

  Value() = default;  // NULL
  Value(const Value& other) : low_(other.low_), high_(other.high_) {
    if (is_shared()) ++payload()->references_;
  }
  Value(Value&& other) noexcept : low_(other.low_), high_(std::exchange(other.high_, 0)) {}
  Value& operator=(const Value& other) {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Value() {
    if (is_shared()) release();
  }

  static Value null() { return {}; }
  static Value boolean(bool value) { return Value(Kind::boolean, value ? 1 : 0); }
  static Value integer(std::int64_t value) { return Value(Kind::integer, value); }
  static Value floating(double value);
  static Value text(std::string_view value);
  static Value numeric(Numeric value);
  static Value interval(const Interval& value);
  static Value json(Json value);
  static Value array(Array value);
  static Value record(Record value);

  Kind kind() const { return static_cast<Kind>(high_ >> kind_shift); }
  bool is_null() const { return kind() == Kind::null; }
  bool is_boolean() const { return kind() == Kind::boolean; }
  bool is_integer() const { return kind() == Kind::integer; }
  bool is_floating() const { return kind() == Kind::floating; }
  bool is_text() const { return kind() == Kind::short_text || kind() == Kind::long_text; }
  bool is_numeric() const { return kind() == Kind::numeric; }
  bool is_interval() const { return kind() == Kind::interval; }
  bool is_json() const { return kind() == Kind::json; }
  bool is_array() const { return kind() == Kind::array; }
  bool is_record() const { return kind() == Kind::record; }

  // The representation asked for must be the one held: std::logic_error otherwise. References and views live as long as
  // this value stays what it is.
  bool as_boolean() const {
    require(Kind::boolean);
    return word() != 0;
  }
  std::int64_t as_integer() const {
    require(Kind::integer);
    return word();
  }
  double as_floating() const;
  std::string_view as_text() const;
  const Numeric& as_numeric() const;
  const Interval& as_interval() const;
  const Json& as_json() const;
  const Array& as_array() const;
  const Record& as_record() const;

  // Equality of what is held (NULL equals NULL, 1.0 differs from 1.00): for containers and tests, not SQL's `=`.
  friend bool operator==(const Value& a, const Value& b);

 private:
  static constexpr std::size_t short_text_max = 14;
  static constexpr unsigned length_shift = 48;
  static constexpr unsigned kind_shift = 56;

  Value(std::uint64_t low, std::uint64_t high) : low_(low), high_(high) {}
  Value(Kind kind, std::int64_t word)
      : low_(static_cast<std::uint64_t>(word)), high_(static_cast<std::uint64_t>(kind) << kind_shift) {}
  Value(Kind kind, const SharedPayload* payload);
  void swap(Value& other) noexcept {
    std::swap(low_, other.low_);
    std::swap(high_, other.high_);
  }
  bool is_shared() const { return kind() >= Kind::long_text; }
  std::int64_t word() const { return static_cast<std::int64_t>(low_); }
  const SharedPayload* payload() const { return reinterpret_cast<const SharedPayload*>(low_); }
  void require(Kind wanted) const {
    if (kind() != wanted) throw_wrong_kind(wanted);
  }
  [[noreturn]] void throw_wrong_kind(Kind wanted) const;
  void release();

  // Two words that the compiler can keep in registers. From the lowest byte: 8 bytes of a number, a payload's address
  // or a short text; 6 further bytes of a short text, its length, the kind.
  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
};
static_assert(sizeof(Value) == 16);
static_assert(std::endian::native == std::endian::little, "a short text lies in the bytes of two words");

using Row = std::vector<Value>;

}  // namespace polarsim::engine
