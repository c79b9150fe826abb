#include "checkers/level_oracle_test_support.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace polarsim::checkers::test {

namespace {

using Reach = std::vector<std::vector<bool>>;

// By sessions and reads, in any number of steps.
Reach causal_order(const Execution& execution) {
  const std::uint32_t count = execution.transaction_count();
  Reach before(count, std::vector<bool>(count, false));
  for (std::uint32_t t = 0; t < count; ++t) {
    for (std::uint32_t u = 0; u < t; ++u) before[u][t] = execution.session_of(u) == execution.session_of(t);
    for (const Execution::Read& read : execution.reads_of(t)) {
      if (read.writer != Execution::initial) before[read.writer][t] = true;
    }
  }
  for (std::uint32_t via = 0; via < count; ++via) {
    for (std::uint32_t a = 0; a < count; ++a) {
      for (std::uint32_t b = 0; b < count; ++b) {
        if (before[a][via] && before[via][b]) before[a][b] = true;
      }
    }
  }
  return before;
}

bool in_session_before(const Execution& execution, std::uint32_t a, std::uint32_t b) {
  return a < b && execution.session_of(a) == execution.session_of(b);
}

bool reads_from(const Execution& execution, std::uint32_t reader, std::uint32_t writer, std::size_t reads) {
  const auto all = execution.reads_of(reader).first(reads);
  return std::any_of(all.begin(), all.end(), [&](const Execution::Read& read) { return read.writer == writer; });
}

// Whether t3 has observed t2 when it makes the read at this place.
bool has_observed(const Execution& execution, WeakLevel level, const Reach& causal, std::uint32_t t3, std::uint32_t t2,
                  std::size_t place) {
  switch (level) {
    case WeakLevel::mav:
    case WeakLevel::be_rc:
      return reads_from(execution, t3, t2, place);
    case WeakLevel::read_atomic:
      return reads_from(execution, t3, t2, execution.reads_of(t3).size()) || in_session_before(execution, t2, t3);
    case WeakLevel::causal:
      return causal[t2][t3];
  }
  return false;
}

// Calls `visit(t2, t1, t3, key)` for each "t2 before t1" of the axiom; stops when it says false.
bool for_each_axiom(const Execution& execution, WeakLevel level,
                    const std::function<bool(std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t)>& visit) {
  const Reach causal = causal_order(execution);
  for (std::uint32_t t3 = 0; t3 < execution.transaction_count(); ++t3) {
    const auto reads = execution.reads_of(t3);
    for (std::size_t place = 0; place < reads.size(); ++place) {
      for (std::uint32_t t2 = 0; t2 < execution.transaction_count(); ++t2) {
        if (t2 == reads[place].writer || !execution.writes(t2, reads[place].key)) continue;
        if (!has_observed(execution, level, causal, t3, t2, place)) continue;
        if (!visit(t2, reads[place].writer, t3, reads[place].key)) return false;
      }
    }
  }
  return true;
}

bool order_holds(const Execution& execution, WeakLevel level, const std::vector<std::uint32_t>& place) {
  for (std::uint32_t t = 0; t < execution.transaction_count(); ++t) {
    for (std::uint32_t u = 0; u < t; ++u) {
      if (in_session_before(execution, u, t) && place[u] > place[t]) return false;
    }
    for (const Execution::Read& read : execution.reads_of(t)) {
      if (read.writer != Execution::initial && place[read.writer] > place[t]) return false;
    }
  }
  for (const Execution::Overwrite& step : execution.overwrites()) {
    if (place[step.before] > place[step.after]) return false;
  }
  return for_each_axiom(execution, level, [&](std::uint32_t t2, std::uint32_t t1, std::uint32_t, std::uint32_t) {
    return t1 != Execution::initial && place[t2] < place[t1];
  });
}

bool is_acyclic(Reach before) {
  const std::size_t count = before.size();
  for (std::size_t via = 0; via < count; ++via) {
    for (std::size_t a = 0; a < count; ++a) {
      for (std::size_t b = 0; b < count; ++b) {
        if (before[a][via] && before[via][b]) before[a][b] = true;
      }
    }
  }
  for (std::size_t t = 0; t < count; ++t) {
    if (before[t][t]) return false;
  }
  return true;
}

// Tries the orders of the versions of one key after another.
bool some_version_order_holds(const Execution& execution, std::uint32_t key,
                              std::vector<std::vector<std::uint32_t>>& order) {
  const std::uint32_t count = execution.transaction_count();
  if (key == execution.key_count()) {
    Reach before(count, std::vector<bool>(count, false));
    for (const auto& versions : order) {
      for (std::size_t i = 1; i < versions.size(); ++i) before[versions[i - 1]][versions[i]] = true;
    }
    for (std::uint32_t t = 0; t < count; ++t) {
      for (const Execution::Read& read : execution.reads_of(t)) {
        if (read.writer != Execution::initial) before[read.writer][t] = true;
      }
    }
    for (const Execution::Overwrite& step : execution.overwrites()) before[step.before][step.after] = true;
    if (!is_acyclic(before)) return false;
    return for_each_axiom(
        execution, WeakLevel::mav, [&](std::uint32_t t2, std::uint32_t t1, std::uint32_t, std::uint32_t x) {
          if (t1 == Execution::initial) return false;
          const auto& versions = order[x];
          return std::find(versions.begin(), versions.end(), t2) < std::find(versions.begin(), versions.end(), t1);
        });
  }
  std::vector<std::uint32_t>& versions = order[key];
  versions.clear();
  for (std::uint32_t t = 0; t < count; ++t) {
    if (execution.writes(t, key)) versions.push_back(t);
  }
  do {
    if (some_version_order_holds(execution, key + 1, order)) return true;
  } while (std::next_permutation(versions.begin(), versions.end()));
  return false;
}

}  // namespace

bool some_order_holds(const Execution& execution, WeakLevel level) {
  if (level == WeakLevel::mav) {
    std::vector<std::vector<std::uint32_t>> order(execution.key_count());
    return some_version_order_holds(execution, 0, order);
  }
  std::vector<std::uint32_t> place(execution.transaction_count());
  std::iota(place.begin(), place.end(), 0U);
  do {
    if (order_holds(execution, level, place)) return true;
  } while (std::next_permutation(place.begin(), place.end()));
  return false;
}

// Of the transactions that `t3` depends on or must see, the axioms speak of t2 as follows.
bool some_order_holds(const Execution& execution, StrongLevel level, bool with_sessions) {
  const std::uint32_t count = execution.transaction_count();
  const auto session_before = [&](std::uint32_t a, std::uint32_t b) {
    return with_sessions && in_session_before(execution, a, b);
  };
  const auto directly_before = [&](std::uint32_t a, std::uint32_t b) {
    return session_before(a, b) || reads_from(execution, b, a, execution.reads_of(b).size());
  };
  const auto write_a_common_key = [&](std::uint32_t a, std::uint32_t b) {
    const auto keys = execution.writes_of(a);
    return std::any_of(keys.begin(), keys.end(), [&](std::uint32_t key) { return execution.writes(b, key); });
  };
  std::vector<std::uint32_t> place(count);
  std::iota(place.begin(), place.end(), 0U);
  const auto sees = [&](std::uint32_t t2, std::uint32_t t3) {
    if (level == StrongLevel::serializability) return place[t2] < place[t3];
    for (std::uint32_t t4 = 0; t4 < count; ++t4) {
      if (t4 == t3 || place[t2] > place[t4]) continue;
      if (directly_before(t4, t3)) return true;                              // Prefix
      if (place[t4] < place[t3] && write_a_common_key(t4, t3)) return true;  // Conflict
    }
    return false;
  };
  const auto holds = [&] {
    for (std::uint32_t t = 0; t < count; ++t) {
      for (std::uint32_t u = 0; u < count; ++u) {
        if (u != t && directly_before(u, t) && place[u] > place[t]) return false;
      }
    }
    for (const Execution::Overwrite& step : execution.overwrites()) {
      if (place[step.before] > place[step.after]) return false;
    }
    for (std::uint32_t t3 = 0; t3 < count; ++t3) {
      for (const Execution::Read& read : execution.reads_of(t3)) {
        for (std::uint32_t t2 = 0; t2 < count; ++t2) {
          if (t2 == t3 || t2 == read.writer || !execution.writes(t2, read.key) || !sees(t2, t3)) continue;
          if (read.writer == Execution::initial || place[t2] > place[read.writer]) return false;
        }
      }
    }
    return true;
  };
  do {
    if (holds()) return true;
  } while (std::next_permutation(place.begin(), place.end()));
  return false;
}

RandomExecution make_execution(Choices& choices, bool with_order) {
  const std::size_t count = 2 + choices.below(5);
  const std::size_t keys = 1 + choices.below(3);
  const std::size_t sessions = 1 + choices.below(count);
  std::vector<std::vector<std::uint32_t>> written(count);
  std::vector<std::vector<std::uint32_t>> writers(keys);
  for (std::uint32_t t = 0; t < count; ++t) {
    for (std::uint32_t key = 0; key < keys; ++key) {
      if (choices.below(5) >= 2) continue;
      written[t].push_back(key);
      writers[key].insert(writers[key].begin() + static_cast<std::ptrdiff_t>(choices.below(writers[key].size() + 1)),
                          t);
    }
  }
  Execution::Builder builder;
  for (std::uint32_t t = 0; t < count; ++t) {
    builder.begin(static_cast<std::uint32_t>(choices.below(sessions)));
    for (const std::uint32_t key : written[t]) builder.write(key);
    for (std::size_t reads = choices.below(6); reads > 0; --reads) {
      const auto key = static_cast<std::uint32_t>(choices.below(keys));
      const std::size_t choice = choices.below(writers[key].size() + 1);
      const std::uint32_t writer = choice == writers[key].size() ? Execution::initial : writers[key][choice];
      if (writer != t) builder.read(key, writer);
    }
  }
  if (with_order) {
    for (std::uint32_t key = 0; key < keys; ++key) {
      for (std::size_t i = 1; i < writers[key].size(); ++i) {
        builder.overwrite(key, writers[key][i - 1], writers[key][i]);
      }
    }
  }
  return {std::move(builder).build(), std::move(writers)};
}

std::string text_of(const Execution& execution) {
  std::string text;
  for (std::uint32_t t = 0; t < execution.transaction_count(); ++t) {
    text += "t" + std::to_string(t) + " of session " + std::to_string(execution.session_of(t)) + ":";
    for (const Execution::Read& read : execution.reads_of(t)) {
      text += " r(" + std::to_string(read.key) + " from " +
              (read.writer == Execution::initial ? "the start" : "t" + std::to_string(read.writer)) + ")";
    }
    for (const std::uint32_t key : execution.writes_of(t)) text += " w(" + std::to_string(key) + ")";
    text += "\n";
  }
  for (const Execution::Overwrite& step : execution.overwrites()) {
    text += "t" + std::to_string(step.before) + " < t" + std::to_string(step.after) + "\n";
  }
  return text;
}

bool is_imposed(const Execution& execution, WeakLevel level, const CommitConstraint& constraint) {
  using Reason = CommitConstraint::Reason;
  const auto overwrites = execution.overwrites();
  switch (constraint.reason) {
    case Reason::initial:
      return constraint.before == Execution::initial;
    case Reason::session:
      return level != WeakLevel::mav && in_session_before(execution, constraint.before, constraint.after);
    case Reason::reads_from:
      return reads_from(execution, constraint.after, constraint.before, execution.reads_of(constraint.after).size());
    case Reason::overwrites:
      return std::any_of(overwrites.begin(), overwrites.end(), [&](const Execution::Overwrite& step) {
        return step.before == constraint.before && step.after == constraint.after;
      });
    case Reason::observed:
      break;
  }
  return !for_each_axiom(execution, level, [&](std::uint32_t t2, std::uint32_t t1, std::uint32_t t3, std::uint32_t x) {
    return !(t2 == constraint.before && t1 == constraint.after && t3 == constraint.observer && x == constraint.key);
  });
}

}  // namespace polarsim::checkers::test
