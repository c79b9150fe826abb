// smallint, integer, bigint and oid (PostgreSQL's int.c, int8.c, oid.c). Casts between boolean and integer are in
// functions_boolean.cpp, those of regclass and its like in functions_system_types.cpp.
#include <fmt/format.h>

#include <numeric>
#include <type_traits>

#include "engine/types/comparisons.h"
#include "engine/types/number_functions.h"
#include "engine/types/number_text.h"

namespace polarsim::engine::families {
namespace {

int compare_integers(const Value& a, const Value& b) {
  const std::int64_t left = a.as_integer();
  const std::int64_t right = b.as_integer();
  return static_cast<int>(left > right) - static_cast<int>(left < right);
}

std::uint64_t hash_integer(const Value& value) {
  auto hash = static_cast<std::uint64_t>(value.as_integer()) + 0x9e3779b97f4a7c15;  // splitmix64's finalizer
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

template <typename Integer>
Value integer_input(std::string_view text, Type, const CallContext&) {
  using Limits = std::numeric_limits<Integer>;
  return Value::integer(parse_integer(text, Limits::min(), Limits::max(), integer_name<Integer>));
}
void integer_output(std::string& to, const Value& value, const CallContext&) { append_integer(to, value.as_integer()); }
Value oid_input(std::string_view text, Type, const CallContext&) { return Value::integer(parse_oid(text)); }

struct Add {
  template <typename T>
  static bool overflows(T a, T b, T* result) {
    return __builtin_add_overflow(a, b, result);
  }
};
struct Subtract {
  template <typename T>
  static bool overflows(T a, T b, T* result) {
    return __builtin_sub_overflow(a, b, result);
  }
};
struct Multiply {
  template <typename T>
  static bool overflows(T a, T b, T* result) {
    return __builtin_mul_overflow(a, b, result);
  }
};
struct Divide {
  template <typename T>
  static bool overflows(T a, T b, T* result) {
    if (b == 0) throw_division_by_zero();
    if (b == -1) return __builtin_sub_overflow(T{0}, a, result);
    *result = static_cast<T>(a / b);
    return false;
  }
};

// Of two integers in the wider of their types.
template <typename Operation, typename Left, typename Right>
Value arithmetic(const FunctionCall& call) {
  using Result = std::conditional_t<(sizeof(Left) > sizeof(Right)), Left, Right>;
  Result result = 0;
  if (Operation::template overflows<Result>(argument<Left>(call[0]), argument<Right>(call[1]), &result)) [[unlikely]]
    throw_out_of_range(integer_name<Result>);
  return Value::integer(result);
}

template <typename Integer>
Value modulo(const FunctionCall& call) {
  const auto divisor = argument<Integer>(call[1]);
  if (divisor == 0) throw_division_by_zero();
  return Value::integer(divisor == -1 ? 0 : argument<Integer>(call[0]) % divisor);
}
template <typename Integer>
Value negate(const FunctionCall& call) {
  Integer result = 0;
  if (__builtin_sub_overflow(Integer{0}, argument<Integer>(call[0]), &result))
    throw_out_of_range(integer_name<Integer>);
  return Value::integer(result);
}
template <typename Integer>
Value absolute(const FunctionCall& call) {
  return call[0].as_integer() < 0 ? negate<Integer>(call) : call[0];
}
template <typename Integer, int step>
Value step_by(const FunctionCall& call) {
  Integer result = 0;
  if (__builtin_add_overflow(argument<Integer>(call[0]), Integer{step}, &result))
    throw_out_of_range(integer_name<Integer>);
  return Value::integer(result);
}
Value same(const FunctionCall& call) { return call[0]; }
Value bit_and(const FunctionCall& call) { return Value::integer(call[0].as_integer() & call[1].as_integer()); }
Value bit_or(const FunctionCall& call) { return Value::integer(call[0].as_integer() | call[1].as_integer()); }
Value bit_xor(const FunctionCall& call) { return Value::integer(call[0].as_integer() ^ call[1].as_integer()); }
Value bit_not(const FunctionCall& call) { return Value::integer(~call[0].as_integer()); }

// The count is taken modulo the width of the processor's registers (32 or 64), as PostgreSQL on x86-64 does.
template <typename Integer>
constexpr std::int64_t shift_mask = sizeof(Integer) == 8 ? 63 : 31;
template <typename Integer>
Value shift_left(const FunctionCall& call) {
  const auto count = static_cast<unsigned>(call[1].as_integer() & shift_mask<Integer>);
  return Value::integer(static_cast<Integer>(static_cast<std::uint64_t>(call[0].as_integer()) << count));
}
template <typename Integer>
Value shift_right(const FunctionCall& call) {
  return Value::integer(call[0].as_integer() >> (call[1].as_integer() & shift_mask<Integer>));
}

std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}
template <typename Integer>
Value positive(std::uint64_t value) {
  if (value > static_cast<std::uint64_t>(std::numeric_limits<Integer>::max()))
    throw_out_of_range(integer_name<Integer>);
  return Value::integer(static_cast<std::int64_t>(value));
}
template <typename Integer>
Value greatest_common_divisor(const FunctionCall& call) {
  return positive<Integer>(std::gcd(magnitude(call[0].as_integer()), magnitude(call[1].as_integer())));
}
template <typename Integer>
Value least_common_multiple(const FunctionCall& call) {
  const std::uint64_t a = magnitude(call[0].as_integer());
  const std::uint64_t b = magnitude(call[1].as_integer());
  if (a == 0 || b == 0) return Value::integer(0);
  // PostgreSQL computes with signed numbers: a divisor that does not fit is an error by itself.
  const std::uint64_t divisor = std::gcd(a, b);
  positive<Integer>(divisor);
  std::uint64_t result = 0;
  if (__builtin_mul_overflow(a / divisor, b, &result)) throw_out_of_range(integer_name<Integer>);
  return positive<Integer>(result);
}
template <typename Unsigned>
Value to_hexadecimal(const FunctionCall& call) {
  return Value::text(fmt::format("{:x}", static_cast<Unsigned>(call[0].as_integer())));
}

// Window frames: RANGE BETWEEN offset PRECEDING ...
Value in_range(const FunctionCall& call) {
  const std::int64_t value = call[0].as_integer();
  const std::int64_t start = call[1].as_integer();
  const std::int64_t offset = call[2].as_integer();
  const bool subtract = call[3].as_boolean();
  const bool less = call[4].as_boolean();
  if (offset < 0) {
    throw SqlError(sqlstate::invalid_preceding_or_following_size,
                   "invalid preceding or following size in window function");
  }
  std::int64_t bound = 0;
  const bool overflows =
      subtract ? __builtin_sub_overflow(start, offset, &bound) : __builtin_add_overflow(start, offset, &bound);
  if (overflows) return Value::boolean(subtract ? !less : less);
  return Value::boolean(less ? value <= bound : value >= bound);
}

template <typename Integer>
Value narrowed(const FunctionCall& call) {
  const std::int64_t value = call[0].as_integer();
  if (value != static_cast<Integer>(value)) throw_out_of_range(integer_name<Integer>);
  return call[0];
}
Value to_oid(const FunctionCall& call) {
  const std::int64_t value = call[0].as_integer();
  if (value != static_cast<std::uint32_t>(value)) throw_out_of_range("OID");
  return call[0];
}
// The same 32 bits, signed or not.
Value wrapped_to_unsigned(const FunctionCall& call) {
  return Value::integer(static_cast<std::uint32_t>(call[0].as_integer()));
}
Value wrapped_to_signed(const FunctionCall& call) {
  return Value::integer(static_cast<std::int32_t>(call[0].as_integer()));
}
template <typename Integer>
struct Names;  // what pg_proc calls the functions of a width
template <>
struct Names<std::int16_t> {
  static constexpr const char *up = "int2up", *minus = "int2um", *absolute = "int2abs", *bit_not = "int2not",
                              *bit_and = "int2and", *bit_or = "int2or", *bit_xor = "int2xor", *left = "int2shl",
                              *right = "int2shr", *modulo = "int2mod", *larger = "int2larger", *smaller = "int2smaller";
};
template <>
struct Names<std::int32_t> {
  static constexpr const char *up = "int4up", *minus = "int4um", *absolute = "int4abs", *bit_not = "int4not",
                              *bit_and = "int4and", *bit_or = "int4or", *bit_xor = "int4xor", *left = "int4shl",
                              *right = "int4shr", *modulo = "int4mod", *larger = "int4larger", *smaller = "int4smaller";
};
template <>
struct Names<std::int64_t> {
  static constexpr const char *up = "int8up", *minus = "int8um", *absolute = "int8abs", *bit_not = "int8not",
                              *bit_and = "int8and", *bit_or = "int8or", *bit_xor = "int8xor", *left = "int8shl",
                              *right = "int8shr", *modulo = "int8mod", *larger = "int8larger", *smaller = "int8smaller";
};

template <typename Integer>
void add_one_width(Entries& to) {
  using enum TypeId;
  using N = Names<Integer>;
  constexpr TypeId type = integer_type<Integer>;
  to.types.push_back({type, integer_input<Integer>, integer_output, compare_integers, hash_integer, nullptr});
  add_operator(to, "+", none, type, type, N::up, same);
  add_operator(to, "-", none, type, type, N::minus, negate<Integer>);
  add_operator(to, "@", none, type, type, N::absolute, absolute<Integer>);
  add_operator(to, "~", none, type, type, N::bit_not, bit_not);
  add_operator(to, "&", type, type, type, N::bit_and, bit_and, "&");
  add_operator(to, "|", type, type, type, N::bit_or, bit_or, "|");
  add_operator(to, "#", type, type, type, N::bit_xor, bit_xor, "#");
  add_operator(to, "<<", type, int4, type, N::left, shift_left<Integer>);
  add_operator(to, ">>", type, int4, type, N::right, shift_right<Integer>);
  add_operator(to, "%", type, type, type, N::modulo, modulo<Integer>);
  const FunctionEntry functions[] = {
      number_function("abs", {type}, type, absolute<Integer>),
      number_function("mod", {type, type}, type, modulo<Integer>),
      number_function(N::larger, {type, type}, type, larger<compare_integers>),
      number_function(N::smaller, {type, type}, type, smaller<compare_integers>),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
}

struct PairNames {
  const char *add, *subtract, *multiply, *divide, *compare;
  ComparisonNames comparisons;
};
template <typename Left, typename Right>
void add_pair(Entries& to, const PairNames& names) {
  constexpr TypeId left = integer_type<Left>;
  constexpr TypeId right = integer_type<Right>;
  constexpr TypeId wider = sizeof(Left) > sizeof(Right) ? left : right;
  add_operator(to, "+", left, right, wider, names.add, arithmetic<Add, Left, Right>, "+");
  add_operator(to, "-", left, right, wider, names.subtract, arithmetic<Subtract, Left, Right>);
  add_operator(to, "*", left, right, wider, names.multiply, arithmetic<Multiply, Left, Right>, "*");
  add_operator(to, "/", left, right, wider, names.divide, arithmetic<Divide, Left, Right>);
  add_comparisons<compare_integers>(to, left, right, names.comparisons);
  to.functions.push_back(
      number_function(names.compare, {left, right}, TypeId::int4, compared_as_integer<compare_integers>));
}

void add_pairs(Entries& to) {
  using I2 = std::int16_t;
  using I4 = std::int32_t;
  using I8 = std::int64_t;
  add_pair<I4, I4>(to, {"int4pl",
                        "int4mi",
                        "int4mul",
                        "int4div",
                        "btint4cmp",
                        {"int4lt", "int4le", "int4eq", "int4ne", "int4ge", "int4gt"}});
  add_pair<I8, I8>(to, {"int8pl",
                        "int8mi",
                        "int8mul",
                        "int8div",
                        "btint8cmp",
                        {"int8lt", "int8le", "int8eq", "int8ne", "int8ge", "int8gt"}});
  add_pair<I2, I2>(to, {"int2pl",
                        "int2mi",
                        "int2mul",
                        "int2div",
                        "btint2cmp",
                        {"int2lt", "int2le", "int2eq", "int2ne", "int2ge", "int2gt"}});
  add_pair<I2, I4>(to, {"int24pl",
                        "int24mi",
                        "int24mul",
                        "int24div",
                        "btint24cmp",
                        {"int24lt", "int24le", "int24eq", "int24ne", "int24ge", "int24gt"}});
  add_pair<I4, I2>(to, {"int42pl",
                        "int42mi",
                        "int42mul",
                        "int42div",
                        "btint42cmp",
                        {"int42lt", "int42le", "int42eq", "int42ne", "int42ge", "int42gt"}});
  add_pair<I2, I8>(to, {"int28pl",
                        "int28mi",
                        "int28mul",
                        "int28div",
                        "btint28cmp",
                        {"int28lt", "int28le", "int28eq", "int28ne", "int28ge", "int28gt"}});
  add_pair<I8, I2>(to, {"int82pl",
                        "int82mi",
                        "int82mul",
                        "int82div",
                        "btint82cmp",
                        {"int82lt", "int82le", "int82eq", "int82ne", "int82ge", "int82gt"}});
  add_pair<I4, I8>(to, {"int48pl",
                        "int48mi",
                        "int48mul",
                        "int48div",
                        "btint48cmp",
                        {"int48lt", "int48le", "int48eq", "int48ne", "int48ge", "int48gt"}});
  add_pair<I8, I4>(to, {"int84pl",
                        "int84mi",
                        "int84mul",
                        "int84div",
                        "btint84cmp",
                        {"int84lt", "int84le", "int84eq", "int84ne", "int84ge", "int84gt"}});
}

void add_oids(Entries& to) {
  using enum TypeId;
  to.types.push_back({oid, oid_input, integer_output, compare_integers, hash_integer, nullptr});
  add_comparisons<compare_integers>(to, oid, oid, {"oidlt", "oidle", "oideq", "oidne", "oidge", "oidgt"});
  const FunctionEntry functions[] = {
      number_function("oidlarger", {oid, oid}, oid, larger<compare_integers>),
      number_function("oidsmaller", {oid, oid}, oid, smaller<compare_integers>),
      number_function("btoidcmp", {oid, oid}, int4, compared_as_integer<compare_integers>),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
}

void add_integer_casts(Entries& to) {
  using enum TypeId;
  using enum CastContext;
  add_cast(to, int2, int4, implicit, same, "int4");
  add_cast(to, int2, int8, implicit, same, "int8");
  add_cast(to, int4, int8, implicit, same, "int8");
  add_cast(to, int4, int2, assignment, narrowed<std::int16_t>, "int2");
  add_cast(to, int8, int2, assignment, narrowed<std::int16_t>, "int2");
  add_cast(to, int8, int4, assignment, narrowed<std::int32_t>, "int4");
  add_cast(to, int8, oid, implicit, to_oid, "oid");
  add_cast(to, oid, int8, assignment, same, "int8");
  add_cast(to, int2, oid, implicit, wrapped_to_unsigned);
  add_cast(to, int4, oid, implicit, wrapped_to_unsigned);
  add_cast(to, oid, int4, assignment, wrapped_to_signed);
}

}  // namespace

void add_integers(Entries& to) {
  using enum TypeId;
  using I2 = std::int16_t;
  using I4 = std::int32_t;
  using I8 = std::int64_t;
  add_one_width<I2>(to);
  add_one_width<I4>(to);
  add_one_width<I8>(to);
  add_pairs(to);
  add_oids(to);
  const FunctionEntry functions[] = {
      number_function("gcd", {int4, int4}, int4, greatest_common_divisor<I4>),
      number_function("gcd", {int8, int8}, int8, greatest_common_divisor<I8>),
      number_function("lcm", {int4, int4}, int4, least_common_multiple<I4>),
      number_function("lcm", {int8, int8}, int8, least_common_multiple<I8>),
      number_function("to_hex", {int4}, text, to_hexadecimal<std::uint32_t>),
      number_function("to_hex", {int8}, text, to_hexadecimal<std::uint64_t>),
      number_function("int4inc", {int4}, int4, step_by<I4, 1>),
      number_function("int8inc", {int8}, int8, step_by<I8, 1>),
      number_function("int8dec", {int8}, int8, step_by<I8, -1>),
      number_function("in_range", {int2, int2, int2, boolean, boolean}, boolean, in_range),
      number_function("in_range", {int2, int2, int4, boolean, boolean}, boolean, in_range),
      number_function("in_range", {int2, int2, int8, boolean, boolean}, boolean, in_range),
      number_function("in_range", {int4, int4, int2, boolean, boolean}, boolean, in_range),
      number_function("in_range", {int4, int4, int4, boolean, boolean}, boolean, in_range),
      number_function("in_range", {int4, int4, int8, boolean, boolean}, boolean, in_range),
      number_function("in_range", {int8, int8, int8, boolean, boolean}, boolean, in_range),
  };
  to.functions.insert(to.functions.end(), std::begin(functions), std::end(functions));
  add_integer_casts(to);
}

}  // namespace polarsim::engine::families
