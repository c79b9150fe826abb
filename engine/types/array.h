// Arrays: elements of one type in up to six dimensions, row by row, with lower bounds (PostgreSQL's
// src/include/utils/array.h).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/types/type.h"
#include "engine/types/value.h"

namespace polarsim::engine {

inline constexpr std::size_t array_dimensions_max = 6;

class Array {
 public:
  struct Dimension {
    std::int32_t length = 0;
    std::int32_t lower_bound = 1;
    friend bool operator==(const Dimension&, const Dimension&) = default;
  };

  // An empty array, which has no dimensions.
  explicit Array(TypeId element) : element_(element) {}
  // One dimension, counted from 1; none if there are no elements.
  Array(TypeId element, std::vector<Value> elements) : element_(element), elements_(std::move(elements)) {
    if (!elements_.empty()) dimensions_.push_back({static_cast<std::int32_t>(elements_.size()), 1});
  }
  // The product of the lengths is the number of elements, and not zero.
  Array(TypeId element, std::vector<Dimension> dimensions, std::vector<Value> elements)
      : element_(element), dimensions_(std::move(dimensions)), elements_(std::move(elements)) {}

  TypeId element() const { return element_; }
  const std::vector<Dimension>& dimensions() const { return dimensions_; }
  const std::vector<Value>& elements() const { return elements_; }
  bool empty() const { return elements_.empty(); }

  friend bool operator==(const Array&, const Array&) = default;

 private:
  TypeId element_;
  std::vector<Dimension> dimensions_;
  std::vector<Value> elements_;
};

}  // namespace polarsim::engine
