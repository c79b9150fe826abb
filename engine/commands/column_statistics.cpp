#include "engine/commands/column_statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/types/order.h"
#include "engine/types/storage_size.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::commands {

namespace {

// Larger values are neither sorted nor kept.
constexpr std::size_t width_threshold = 1024;

// On its page: short values have a header of one byte.
std::size_t stored_width(const Value& value, TypeId type) {
  constexpr std::size_t header = 4;
  constexpr std::size_t short_header = 1;
  constexpr std::size_t short_max = 127;
  const std::size_t width = storage_size(value, type);
  if (type_info(type).length >= 0 || width - header + short_header > short_max) return width;
  return width - header + short_header;
}

struct Common {
  std::size_t count = 0;
  std::size_t first = 0;  // among the sorted values
};

class ScalarStatistics {
 public:
  ScalarStatistics(std::span<const Value> values, Type type, double table_rows)
      : type_(type), sample_rows_(static_cast<double>(values.size())), table_rows_(table_rows) {
    for (const Value& value : values) add(value);
  }

  catalog::ColumnStatistics compute() {
    catalog::ColumnStatistics result;
    null_fraction_ = nulls_ / sample_rows_;
    result.null_fraction = static_cast<float>(null_fraction_);
    const int fixed_width = type_info(type_.id).length;
    if (fixed_width >= 0) {
      result.average_width = fixed_width;
    } else if (nulls_ < sample_rows_) {
      result.average_width = static_cast<int>(total_width_ / (sample_rows_ - nulls_));
    }
    if (!is_ordered(type_.id) || nulls_ == sample_rows_) return result;
    if (values_.empty()) {
      // All are too wide to be looked at: they are different, supposedly.
      result.distinct = static_cast<float>(-(1.0 - null_fraction_));
      return result;
    }
    sort();
    count_duplicates();
    distinct_ = estimate_distinct();
    result.distinct = static_cast<float>(distinct_);
    const bool complete = common_.size() == distinct_in_sample_ && too_wide_ == 0 && distinct_ > 0;
    if (!complete) keep_significant();
    for (const Common& common : common_) {
      result.most_common.push_back(text(values_[common.first].first));
      result.most_common_frequencies.push_back(static_cast<float>(static_cast<double>(common.count) / sample_rows_));
    }
    result.histogram = histogram();
    result.correlation = static_cast<float>(correlation_);
    return result;
  }

 private:
  void add(const Value& value) {
    if (value.is_null()) {
      ++nulls_;
      return;
    }
    const std::size_t width = stored_width(value, type_.id);
    total_width_ += static_cast<double>(width);
    if (width > width_threshold) {
      ++too_wide_;
    } else {
      values_.emplace_back(value, values_.size());
    }
  }

  void sort() {
    const Comparison compare = comparison_of(type_.id);
    std::sort(values_.begin(), values_.end(), [compare](const auto& a, const auto& b) {
      const int order = compare(a.first, b.first);
      return order != 0 ? order < 0 : a.second < b.second;
    });
  }

  // Also how well the order of the values is that of their places.
  void count_duplicates() {
    const Comparison compare = comparison_of(type_.id);
    double products = 0;
    std::size_t first = 0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      products += static_cast<double>(i) * static_cast<double>(values_[i].second);
      if (i + 1 < values_.size() && compare(values_[i].first, values_[i + 1].first) == 0) continue;
      ++distinct_in_sample_;
      if (i != first) note_duplicate({i + 1 - first, first});
      first = i + 1;
    }
    if (values_.size() < 2) return;
    const auto count = static_cast<double>(values_.size());
    const double sum = (count - 1) * count / 2;
    const double squares = (count - 1) * count * (2 * count - 1) / 6;
    correlation_ = (count * products - sum * sum) / (count * squares - sum * sum);
  }

  // Keeps the most common ones, those that come first in the order before others as common.
  void note_duplicate(const Common& found) {
    ++repeated_;
    if (common_.size() == statistics_target && found.count <= common_.back().count) return;
    const auto place = std::upper_bound(common_.begin(), common_.end(), found,
                                        [](const Common& a, const Common& b) { return a.count > b.count; });
    common_.insert(place, found);
    if (common_.size() > statistics_target) common_.pop_back();
  }

  double estimate_distinct() const {
    const auto in_sample = static_cast<double>(distinct_in_sample_);
    double distinct = 0;
    if (repeated_ == 0) {
      distinct = -(1.0 - null_fraction_);
    } else if (too_wide_ == 0 && repeated_ == distinct_in_sample_) {
      distinct = in_sample;
    } else {
      const double once = in_sample - static_cast<double>(repeated_) + static_cast<double>(too_wide_);
      const double seen = once + static_cast<double>(repeated_);
      const double sampled = sample_rows_ - nulls_;
      const double all = table_rows_ * (1.0 - null_fraction_);
      if (all > 0) distinct = sampled * seen / ((sampled - once) + once * sampled / all);
      distinct = std::floor(std::min(std::max(distinct, seen), all) + 0.5);
    }
    // So many that they will be more if the table grows.
    if (distinct > 0.1 * table_rows_) distinct = -(distinct / table_rows_);
    return distinct;
  }

  // Drops the least common values as long as they are not significantly more common than what is not listed.
  void keep_significant() {
    if (sample_rows_ == table_rows_ || table_rows_ <= 1.0) return;
    const double all_distinct = distinct_ < 0 ? -distinct_ * table_rows_ : distinct_;
    double others = 0;  // rows of all listed values but the last
    for (std::size_t i = 0; i + 1 < common_.size(); ++i) others += static_cast<double>(common_[i].count);
    while (!common_.empty()) {
      const auto count = static_cast<double>(common_.back().count);
      double selectivity = std::clamp(1.0 - others / sample_rows_ - null_fraction_, 0.0, 1.0);
      const double unlisted = all_distinct - static_cast<double>(common_.size() - 1);
      if (unlisted > 1) selectivity /= unlisted;
      // Two standard deviations of the hypergeometric distribution, and a correction for continuity.
      const double all = table_rows_;
      const double in_table = all * count / sample_rows_;
      const double variance =
          sample_rows_ * in_table * (all - in_table) * (all - sample_rows_) / (all * all * (all - 1));
      if (count > selectivity * sample_rows_ + 2 * std::sqrt(variance) + 0.5) return;
      common_.pop_back();
      if (!common_.empty()) others -= static_cast<double>(common_.back().count);
    }
  }

  // Evenly spaced among the values that are not listed.
  std::vector<std::string> histogram() const {
    const std::size_t bounds = std::min(distinct_in_sample_ - common_.size(), statistics_target + 1);
    std::vector<std::string> result;
    if (bounds < 2) return result;
    std::vector<Common> listed = common_;
    std::sort(listed.begin(), listed.end(), [](const Common& a, const Common& b) { return a.first < b.first; });
    std::vector<std::size_t> rest;
    auto next = listed.begin();
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (next != listed.end() && i == next->first) {
        i += (next++)->count - 1;
      } else {
        rest.push_back(i);
      }
    }
    for (std::size_t i = 0; i < bounds; ++i)
      result.push_back(text(values_[rest[i * (rest.size() - 1) / (bounds - 1)]].first));
    return result;
  }

  std::string text(const Value& value) const { return output_value(value, type_.id, CallContext{}); }

  const Type type_;
  const double sample_rows_;
  const double table_rows_;
  double nulls_ = 0;
  double total_width_ = 0;
  std::size_t too_wide_ = 0;
  std::vector<std::pair<Value, std::size_t>> values_;  // with their positions in order of place
  std::size_t distinct_in_sample_ = 0;
  std::size_t repeated_ = 0;  // those of them that are there more than once
  std::vector<Common> common_;
  double correlation_ = 0;
  double null_fraction_ = 0;
  double distinct_ = 0;
};

}  // namespace

catalog::ColumnStatistics compute_statistics(std::span<const Value> values, Type type, double table_rows) {
  return ScalarStatistics(values, type, table_rows).compute();
}

}  // namespace polarsim::engine::commands
