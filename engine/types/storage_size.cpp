#include "engine/types/storage_size.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "engine/types/array.h"
#include "engine/types/json.h"
#include "engine/types/numeric.h"
#include "engine/types/record.h"

// The layouts are those of src/include: varatt.h's headers, numeric.c's NumericChoice, array.h, jsonb.h,
// htup_details.h.
namespace polarsim::engine {
namespace {

constexpr std::size_t varlena_header = 4;
constexpr std::size_t longest_alignment = 8;

std::size_t aligned(std::size_t size, std::size_t alignment) { return (size + alignment - 1) / alignment * alignment; }

// pg_type.typalign.
std::size_t alignment_of(TypeId type) {
  const TypeInfo& info = type_info(type);
  if (info.length < 0) {
    const bool wide =
        info.element != TypeId::none && info.array == TypeId::none && alignment_of(info.element) == longest_alignment;
    return wide || type == TypeId::record ? longest_alignment : 4;
  }
  if (type == TypeId::name || type == TypeId::uuid) return 1;
  return std::min<std::size_t>(static_cast<std::size_t>(info.length), longest_alignment);
}

// Two bytes for each four decimal digits, counted from the decimal point, without zeros at either end.
std::size_t numeric_size(const Numeric& number) {
  constexpr std::size_t short_header = 2;
  constexpr std::size_t long_header = 4;
  if (!number.is_finite()) return varlena_header + short_header;
  std::string text = number.absolute().to_string();
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string whole = text.substr(0, point);
  std::string fraction = point < text.size() ? text.substr(point + 1) : std::string();
  whole.insert(0, (4 - whole.size() % 4) % 4, '0');
  fraction.append((4 - fraction.size() % 4) % 4, '0');
  const std::string digits = whole + fraction;
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return varlena_header + short_header;
  const std::size_t last = digits.find_last_not_of('0');
  const std::size_t groups = last / 4 - first / 4 + 1;
  const int weight = static_cast<int>(whole.size() / 4) - 1 - static_cast<int>(first / 4);
  const bool is_short = number.scale() <= 63 && weight >= -64 && weight <= 63;
  return varlena_header + (is_short ? short_header : long_header) + 2 * groups;
}

std::size_t array_size(const Array& array) {
  constexpr std::size_t header = 16;  // length, dimensions, offset of the data, type
  if (array.empty()) return header;
  const std::size_t alignment = alignment_of(array.element());
  const auto& elements = array.elements();
  std::size_t size = header + 8 * array.dimensions().size();
  if (std::ranges::any_of(elements, &Value::is_null)) size += (elements.size() + 7) / 8;
  size = aligned(size, longest_alignment);
  for (const Value& element : elements) {
    if (!element.is_null()) size = aligned(size + storage_size(element, array.element()), alignment);
  }
  return size;
}

// Appends what the container holds to what lies before it, `size` bytes of it: aligned as jsonb_util.c does.
std::size_t append_container(std::size_t size, const Json& json);

std::size_t append_json(std::size_t size, const Json& json) {
  if (json.is_string()) return size + json.as_string().size();
  if (json.is_number()) return aligned(size, 4) + numeric_size(json.as_number());
  return json.is_scalar() ? size : append_container(size, json);
}

std::size_t append_container(std::size_t size, const Json& json) {
  constexpr std::size_t header = 4;
  constexpr std::size_t entry = 4;
  size = aligned(size, 4) + header;
  if (json.is_array()) {
    size += entry * json.elements().size();
    for (const Json& element : json.elements()) size = append_json(size, element);
    return size;
  }
  if (json.is_scalar()) return append_json(size + entry, json);
  size += 2 * entry * json.members().size();
  for (const Json::Member& member : json.members()) size += member.key.size();
  for (const Json::Member& member : json.members()) size = append_json(size, member.value);
  return size;
}

std::size_t record_size(const Record& record) {
  constexpr std::size_t header = 23;
  constexpr std::size_t longest_short = 126;  // bytes after a header of one byte
  const auto& fields = record.fields();
  const bool has_null = std::ranges::any_of(fields, [](const Record::Field& field) { return field.value.is_null(); });
  std::size_t data = 0;
  for (const Record::Field& field : fields) {
    if (field.value.is_null()) continue;
    const std::size_t size = storage_size(field.value, field.type.id);
    // Varying lengths are packed if they are short; unknown literals end in a zero byte.
    if (type_info(field.type.id).length == -1 && size - varlena_header <= longest_short) {
      data += size - varlena_header + 1;
    } else {
      data = aligned(data, field.type.id == TypeId::unknown ? 1 : alignment_of(field.type.id)) + size;
    }
  }
  return aligned(header + (has_null ? (fields.size() + 7) / 8 : 0), longest_alignment) + data;
}

}  // namespace

std::size_t storage_size(const Value& value, TypeId type) {
  if (type == TypeId::unknown) return value.as_text().size() + 1;
  const TypeInfo& info = type_info(type);
  if (info.length > 0) return static_cast<std::size_t>(info.length);
  switch (value.kind()) {
    case Value::Kind::numeric:
      return numeric_size(value.as_numeric());
    case Value::Kind::array:
      return array_size(value.as_array());
    case Value::Kind::json:
      return append_container(varlena_header, value.as_json());
    case Value::Kind::record:
      return record_size(value.as_record());
    default:
      return varlena_header + value.as_text().size();
  }
}

}  // namespace polarsim::engine
