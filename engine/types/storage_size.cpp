#include "engine/types/storage_size.h"

#include <algorithm>

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

// Two bytes for each digit to base 10000.
std::size_t numeric_size(const Numeric& number) {
  constexpr std::size_t short_header = 2;
  constexpr std::size_t long_header = 4;
  const Numeric::Parts parts = number.parts();
  const bool is_short = !number.is_finite() || (parts.scale <= 63 && parts.weight >= -64 && parts.weight <= 63);
  return varlena_header + (is_short ? short_header : long_header) + 2 * parts.digits.size();
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
