// What a generator draws from: a list of numbers, so that a shorter list or smaller numbers make a simpler statement
// (as Hypothesis does it; MacIver and Donaldson, "Test-Case Reduction via Test-Case Generation", ECOOP 2020).
//
// Every draw gives the simplest outcome, 0, when the list is at its end: whatever asks must end with that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace polarsim::scenarios::cli::test {

class Choices {
 public:
  explicit Choices(std::span<const std::uint16_t> numbers) : numbers_(numbers) {}

  // In [0, count); smaller numbers give smaller outcomes.
  std::size_t below(std::size_t count) {
    if (count <= 1 || at_ >= numbers_.size()) return 0;
    return numbers_[at_++] * count >> 16U;
  }
  bool one_in(std::size_t count) { return below(count) == count - 1 && count > 1; }
  bool percent(std::size_t chance) { return below(100) >= 100 - chance; }
  // An index into the weights.
  std::size_t weighted(std::initializer_list<std::size_t> weights) {
    std::size_t total = 0;
    for (const std::size_t weight : weights) total += weight;
    std::size_t drawn = below(total);
    std::size_t index = 0;
    for (const std::size_t weight : weights) {
      if (drawn < weight) break;
      drawn -= weight;
      ++index;
    }
    return index;
  }
  template <typename Container>
  const auto& one_of(const Container& container) {
    return container[below(std::size(container))];
  }

 private:
  std::span<const std::uint16_t> numbers_;
  std::size_t at_ = 0;
};

}  // namespace polarsim::scenarios::cli::test
