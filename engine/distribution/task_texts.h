// The texts of a job's tasks, made once and kept as long as the job: a prepared statement by key is one text for each
// shard, whatever the values are. They are a cache of what the job says, so that it may change in a job that does not.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace polarsim::engine::distribution {

struct Job;

// In place of a shard's position: the conditions of its choice hold in none, its tables have no rows.
constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

class TaskTexts {
 public:
  using Text = std::shared_ptr<const std::string>;
  const Text& text(const Job& job, const std::vector<std::size_t>& positions);
  // Of a job with one choice. The reference is valid as long as this object is.
  const Text& text_at(const Job& job, std::size_t position);

 private:
  std::map<std::size_t, Text> by_position_;
  std::map<std::vector<std::size_t>, Text> by_positions_;
};

}  // namespace polarsim::engine::distribution
