// What the lock manager and its deadlock detector know of one lock. Private to them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/txn/backend.h"
#include "sim/scheduler.h"

namespace polarsim::engine::txn {

struct Lock;

// A request that waits; it lies on the stack of the task that made it.
struct LockWaiter final : sim::WaitSubject {
  LockWaiter(Lock& of, Backend& by, LockOwner& for_owner, LockMode in_mode)
      : lock(&of), backend(&by), owner(&for_owner), mode(in_mode) {}
  void describe(sim::WaitDescription& description) const override;

  Lock* lock;
  Backend* backend;
  LockOwner* owner;
  LockMode mode;
  bool granted = false;
  std::int64_t since_us = 0;
};

// All that one backend holds of a lock, whichever of its owners has it.
struct LockHolder {
  Backend* backend = nullptr;
  ModeMask modes = 0;
  std::array<std::uint32_t, lock_modes> times{};
};

struct Lock {
  LockTag tag;
  std::vector<LockHolder> holders;                     // in order of their first acquisition
  std::vector<LockWaiter*> waiters;                    // in order of service
  std::array<std::uint32_t, lock_modes> holders_in{};  // by mode

  LockHolder* holder(const Backend& backend) {
    const auto found = std::find_if(holders.begin(), holders.end(),
                                    [&](const LockHolder& candidate) { return candidate.backend == &backend; });
    return found == holders.end() ? nullptr : &*found;
  }
  const LockHolder* holder(const Backend& backend) const { return const_cast<Lock*>(this)->holder(backend); }
  ModeMask modes_of(const Backend& backend) const {
    const LockHolder* found = holder(backend);
    return found == nullptr ? ModeMask{0} : found->modes;
  }
  // Whether somebody else than the one who holds `own` holds it in a mode that conflicts.
  bool conflicts_with_holders(ModeMask own, LockMode mode) const {
    const ModeMask against = conflict_mask(mode);
    for (std::size_t i = 1; i < lock_modes; ++i) {
      const auto bit = mode_bit(static_cast<LockMode>(i));
      if ((against & bit) != 0 && holders_in[i] > ((own & bit) != 0 ? 1U : 0U)) return true;
    }
    return false;
  }
  void add(Backend& backend, LockMode mode, std::uint32_t times) {
    LockHolder* found = holder(backend);
    if (found == nullptr) found = &holders.emplace_back(LockHolder{&backend, 0, {}});
    const auto index = static_cast<std::size_t>(mode);
    if (found->times[index] == 0) {
      found->modes = static_cast<ModeMask>(found->modes | mode_bit(mode));
      ++holders_in[index];
    }
    found->times[index] += times;
  }
  // True if the backend no longer holds it in this mode.
  bool take(Backend& backend, LockMode mode, std::uint32_t times) {
    LockHolder& found = *holder(backend);
    const auto index = static_cast<std::size_t>(mode);
    found.times[index] -= times;
    if (found.times[index] != 0) return false;
    found.modes = static_cast<ModeMask>(found.modes & ~mode_bit(mode));
    --holders_in[index];
    if (found.modes == 0) holders.erase(holders.begin() + (&found - holders.data()));
    return true;
  }
};

}  // namespace polarsim::engine::txn
