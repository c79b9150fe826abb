// Random values of SQL types, as texts.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>

#include "engine/types/type.h"

namespace polarsim::scenarios::cli::test {

class RandomTexts {
 public:
  explicit RandomTexts(std::uint64_t seed) : random_(seed) {}

  // Text forms that the type's input accepts: edges often (extremes, NaN, infinities, empty, long, not ASCII, many
  // digits), else anything.
  std::string value(engine::TypeId type);
  // What the input may refuse, too: values with something left out, put in or doubled.
  std::string doubtful_value(engine::TypeId type);

  // In [0, count).
  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }
  bool one_in(std::size_t count) { return below(count) == 0; }

 private:
  std::string one_of(std::span<const char* const> texts) { return texts[below(texts.size())]; }
  std::string integer(int digits_max);
  std::string decimal();
  std::string floating(bool single);
  std::string text();
  std::string bytes();
  std::string date();
  std::string time_of_day();
  std::string interval();
  std::string json(int depth);
  std::string array(engine::TypeId element);

  std::mt19937_64 random_;
};

}  // namespace polarsim::scenarios::cli::test
