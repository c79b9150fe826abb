// Pages against vectors of strings, and keys against the order of values.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "engine/storage/key_encoding.h"
#include "engine/storage/page.h"
#include "engine/types/error.h"
#include "engine/types/order.h"

namespace polarsim::engine::storage {
namespace {

constexpr PageId id{16384, Fork::main, 3};

struct Operation {
  enum class Kind { put, clear, insert, remove, replace, compact } kind = Kind::put;
  std::size_t place = 0;   // modulo what there is
  std::size_t length = 0;  // of the bytes
  char letter = 'a';
};

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  static constexpr const char* names[] = {"put", "clear", "insert", "remove", "replace", "compact"};
  return out << names[static_cast<int>(operation.kind)] << " at " << operation.place << " " << operation.length << " "
             << operation.letter;
}

// Lengths that fill a page after a few items, and others that fill it after hundreds.
rc::Gen<std::size_t> any_length() {
  return rc::gen::weightedOneOf<std::size_t>({{6, rc::gen::inRange<std::size_t>(0, 100)},
                                              {3, rc::gen::inRange<std::size_t>(0, 1500)},
                                              {1, rc::gen::inRange<std::size_t>(0, 8300)}});
}

rc::Gen<Operation> any_operation() {
  return rc::gen::build<Operation>(
      rc::gen::set(&Operation::kind, rc::gen::weightedElement<Operation::Kind>({{8, Operation::Kind::put},
                                                                                {4, Operation::Kind::clear},
                                                                                {6, Operation::Kind::insert},
                                                                                {4, Operation::Kind::remove},
                                                                                {5, Operation::Kind::replace},
                                                                                {1, Operation::Kind::compact}})),
      rc::gen::set(&Operation::place, rc::gen::inRange<std::size_t>(0, 1000)),
      rc::gen::set(&Operation::length, any_length()), rc::gen::set(&Operation::letter, rc::gen::inRange('a', 'z')));
}

// What a page is, by the simplest means.
class Model {
 public:
  explicit Model(std::size_t special) : room_(page_size - page_header_size - special) {}
  std::vector<std::optional<std::string>> items;

  // Bytes that nobody has.
  std::size_t free() const {
    const std::size_t used =
        std::accumulate(items.begin(), items.end(), std::size_t{0},
                        [](std::size_t sum, const auto& item) { return sum + (item ? item->size() : 0); });
    return room_ - used - items.size() * line_pointer_size;
  }
  std::size_t free_bytes() const { return free() < line_pointer_size ? 0 : free() - line_pointer_size; }
  std::size_t unused() const {
    return static_cast<std::size_t>(std::find(items.begin(), items.end(), std::nullopt) - items.begin());
  }
  std::vector<std::size_t> used_places() const {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i]) places.push_back(i);
    }
    return places;
  }
  void trim() {
    while (!items.empty() && !items.back()) items.pop_back();
  }

 private:
  std::size_t room_;
};

std::uint16_t number(std::size_t index) { return static_cast<std::uint16_t>(index + 1); }

void apply_put(const Operation& operation, const std::string& bytes, Page page, Model& model) {
  // Sometimes the first unused place, sometimes the end.
  const std::size_t at = operation.place % 2 == 0 ? model.unused() : model.items.size();
  const bool appends = at == model.items.size();
  const bool fits = bytes.size() + (appends ? line_pointer_size : 0) <= model.free();
  RC_ASSERT(page.put_item(number(at), bytes) == fits);
  if (!fits) return;
  if (appends) model.items.emplace_back();
  model.items[at] = bytes;
}

void apply_insert(const Operation& operation, const std::string& bytes, Page page, Model& model) {
  const std::size_t at = operation.place % (model.items.size() + 1);
  const bool fits = bytes.size() + line_pointer_size <= model.free();
  RC_ASSERT(page.insert_item(number(at), bytes) == fits);
  if (fits) model.items.insert(model.items.begin() + static_cast<std::ptrdiff_t>(at), bytes);
}

void apply_to_used(const Operation& operation, const std::string& bytes, Page page, Model& model) {
  const auto places = model.used_places();
  if (places.empty()) return;
  const std::size_t at = places[operation.place % places.size()];
  if (operation.kind == Operation::Kind::clear) {
    page.clear_item(number(at));
    model.items[at].reset();
    model.trim();
    return;
  }
  const bool fits = bytes.size() <= model.free() + model.items[at]->size();
  RC_ASSERT(page.replace_item(number(at), bytes) == fits);
  if (fits) model.items[at] = bytes;
}

void apply(const Operation& operation, Page page, Model& model) {
  const std::string bytes(operation.length, operation.letter);
  switch (operation.kind) {
    case Operation::Kind::put:
      return apply_put(operation, bytes, page, model);
    case Operation::Kind::insert:
      return apply_insert(operation, bytes, page, model);
    case Operation::Kind::clear:
    case Operation::Kind::replace:
      return apply_to_used(operation, bytes, page, model);
    case Operation::Kind::remove: {
      if (model.items.empty()) return;
      const std::size_t at = operation.place % model.items.size();
      page.remove_item(number(at));
      model.items.erase(model.items.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    }
    case Operation::Kind::compact:
      page.compact();
      return;
  }
}

void check(Page page, const Model& model) {
  RC_ASSERT(page.item_count() == model.items.size());
  for (std::size_t i = 0; i < model.items.size(); ++i) {
    const auto bytes = page.item(number(i));
    RC_ASSERT(page.item_used(number(i)) == model.items[i].has_value());
    RC_ASSERT(std::string_view(bytes.data(), bytes.size()) == model.items[i].value_or(""));
  }
  RC_ASSERT(page.free_bytes() == model.free_bytes());
  RC_ASSERT(page.has_room_for(model.free_bytes()) || model.free() < line_pointer_size);
  RC_ASSERT(!page.has_room_for(model.free_bytes() + 1));
  RC_ASSERT(page.unused_item() == number(model.unused()));
  const std::string_view hole = page.contents().substr(page.lower(), page.upper() - page.lower());
  RC_ASSERT(hole.find_first_not_of('\0') == std::string_view::npos);
}

RC_GTEST_PROP(PageProperty, IsAVectorOfStrings, ()) {
  const auto special = *rc::gen::element<std::size_t>(0, 16, 400);
  std::vector<char> bytes(page_size, 'x');
  Page page(bytes.data());
  page.initialize(id, PageKind::heap, special);
  std::ranges::fill(page.special(), 's');
  Model model(special);
  for (const Operation& operation : *rc::gen::container<std::vector<Operation>>(any_operation())) {
    apply(operation, page, model);
    check(page, model);
  }
  RC_ASSERT(std::ranges::all_of(page.special(), [](char byte) { return byte == 's'; }));
  page.set_lsn(77);
  page.seal();
  RC_ASSERT(page.verify(id).empty());
  RC_ASSERT(page.lsn() == 77U);
}

rc::Gen<Value> any_value(int type) {
  switch (type) {
    case 0:
      return rc::gen::map(rc::gen::arbitrary<bool>(), [](bool value) { return Value::boolean(value); });
    case 1:
      return rc::gen::map(rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-300, 300), rc::gen::arbitrary<std::int64_t>(),
                                         rc::gen::element(INT64_MIN, INT64_MAX)),
                          [](std::int64_t value) { return Value::integer(value); });
    default:
      // Few letters, among them the two bytes that the encoding treats in its own way.
      return rc::gen::map(rc::gen::container<std::string>(rc::gen::element('\0', '\xFF', 'a', '\x01', '\x03', '\xFE')),
                          [](std::string value) { return Value::text(std::move(value)); });
  }
}

rc::Gen<Row> any_row(const std::vector<int>& types) {
  return rc::gen::exec([types] {
    Row row;
    for (const int type : types)
      row.push_back(*rc::gen::weightedOneOf<Value>({{1, rc::gen::just(Value::null())}, {5, any_value(type)}}));
    return row;
  });
}

// NULLs last.
int compare_rows(const Row& a, const Row& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].is_null() != b[i].is_null()) return a[i].is_null() ? 1 : -1;
    if (a[i].is_null()) continue;
    if (const int order = compare_values(a[i], b[i],
                                         a[i].is_integer()   ? TypeId::int8
                                         : a[i].is_boolean() ? TypeId::boolean
                                                             : TypeId::text);
        order != 0)
      return order < 0 ? -1 : 1;
  }
  return 0;
}

int sign(int number) { return (number > 0) - (number < 0); }

RC_GTEST_PROP(KeyEncodingProperty, OrderOfKeysIsOrderOfValues, ()) {
  const auto types = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 3));
  const Row a = *any_row(types);
  Row b = *any_row(types);
  // Often equal at the start, so that what comes later decides.
  const auto same = *rc::gen::inRange<std::size_t>(0, types.size() + 1);
  std::copy_n(a.begin(), same, b.begin());
  RC_ASSERT(sign(encode_key(a).compare(encode_key(b))) == compare_rows(a, b));
  RC_ASSERT(decode_key(encode_key(a)) == a);
  const auto first = *rc::gen::inRange<std::size_t>(0, types.size() + 1);
  const std::string prefix = encode_key(std::span(a).first(first));
  RC_ASSERT(encode_key(a).starts_with(prefix));
  const std::string after = after_prefix(prefix);
  RC_ASSERT(after.empty() == prefix.empty());
  if (!after.empty()) {
    RC_ASSERT(encode_key(a) < after);
    // Nothing between: what is greater than all with the prefix is not less than `after`.
    RC_ASSERT(encode_key(b).starts_with(prefix) || encode_key(b) < prefix || encode_key(b) >= after);
  }
}

RC_GTEST_PROP(KeyEncodingProperty, OtherBytesAreRefusedOrDecodeToWhatEncodesToThem, ()) {
  const auto bytes =
      *rc::gen::container<std::string>(rc::gen::element('\0', '\x01', '\x02', '\x03', '\xFE', '\xFF', 'a'));
  try {
    RC_ASSERT(encode_key(decode_key(bytes)) == bytes);
  } catch (const SqlError& error) {
    RC_ASSERT(error.sqlstate() == sqlstate::internal_error);
  }
}

}  // namespace
}  // namespace polarsim::engine::storage
