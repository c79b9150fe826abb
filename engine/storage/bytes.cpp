#include "engine/storage/bytes.h"

#include <span>

#include "engine/storage/value_codec.h"

namespace polarsim::engine::storage {

namespace {

[[noreturn]] void damaged(const char* why) {
  throw SqlError(sqlstate::internal_error, std::string("WAL record ") + why);
}

}  // namespace

ByteWriter& ByteWriter::value(const Value& value) {
  const std::size_t start = bytes_.size();
  bytes_.resize(start + encoded_size(value));
  put_encoded(bytes_.data() + start, value);
  return *this;
}

ByteWriter& ByteWriter::row(const Row& row) {
  number(static_cast<std::uint16_t>(row.size()));
  for (const Value& column : row) value(column);
  return *this;
}

Value ByteReader::value() {
  std::span<const char> rest(bytes_);
  Value value = take_encoded(rest, damaged);
  bytes_ = {rest.data(), rest.size()};
  return value;
}

Row ByteReader::row() {
  const auto size = number<std::uint16_t>();
  Row row;
  row.reserve(size);
  for (std::uint16_t i = 0; i < size; ++i) row.push_back(value());
  return row;
}

}  // namespace polarsim::engine::storage
