// A value, or an exception, that one part of the program promises and others wait for.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

#include "sim/assert.h"
#include "sim/wait_queue.h"

namespace polarsim::sim {

// What waiters get when the promise ends without having been kept: its owner was cancelled, or its host went down.
struct BrokenPromise : std::runtime_error {
  BrokenPromise() : std::runtime_error("a promise was destroyed before it was kept") {}
};

namespace detail {

template <typename T>
using FutureValue = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <typename T>
struct FutureState {
  FutureState(Scheduler& scheduler, const char* label) : waiters(scheduler, "future", label) {}
  bool ready() const { return value.has_value() || error != nullptr; }
  WaitQueue waiters;
  std::optional<FutureValue<T>> value;
  std::exception_ptr error;
  bool taken = false;
};

}  // namespace detail

// The waiting side. Copies refer to the same promise; any number of tasks may wait. A default Future refers to none.
template <typename T>
class Future {
 public:
  using Value = detail::FutureValue<T>;

  Future() = default;
  explicit operator bool() const { return state_ != nullptr; }
  // Whether waiting would not block.
  bool ready() const { return state_ != nullptr && state_->ready(); }
  // Blocks until there is a value or an exception; false only if the deadline came first or the task unwinds.
  bool wait(const char* reason, Time deadline = never) const {
    POLARSIM_ASSERT(state_ != nullptr, "a future without a promise");
    const std::shared_ptr<State> keep = state_;
    while (!keep->ready()) {
      if (keep->waiters.wait(reason, deadline) != WakeReason::woken) return keep->ready();
    }
    return true;
  }
  // As wait(); then the value, which lives as long as any copy of this future, or null where wait() would say false. An
  // exception that was set, or BrokenPromise, is thrown; while the task unwinds, null stands for it.
  const Value* get(const char* reason, Time deadline = never) const { return settled(reason, deadline); }
  // As get(), but moves the value out. Only one task may do so, and none may use get() afterwards (asserted).
  std::optional<Value> take(const char* reason, Time deadline = never) const {
    Value* const value = settled(reason, deadline);
    if (value == nullptr) return std::nullopt;
    state_->taken = true;
    return std::optional<Value>(std::move(*value));
  }

 private:
  template <typename>
  friend class Promise;
  using State = detail::FutureState<T>;
  explicit Future(std::shared_ptr<State> state) : state_(std::move(state)) {}
  Value* settled(const char* reason, Time deadline) const {
    if (!wait(reason, deadline)) return nullptr;
    POLARSIM_ASSERT(!state_->taken, "the value of a future was taken before");
    if (state_->error != nullptr) {
      if (state_->waiters.scheduler().unwinding()) return nullptr;
      std::rethrow_exception(state_->error);
    }
    return &*state_->value;
  }
  std::shared_ptr<State> state_;
};

// The promising side. It is kept once, by anyone; one that ends before is broken.
template <typename T>
class Promise {
 public:
  explicit Promise(Scheduler& scheduler, const char* label = "") : state_(std::make_shared<State>(scheduler, label)) {}
  ~Promise() { abandon(); }
  Promise(Promise&& other) noexcept = default;
  Promise& operator=(Promise&& other) noexcept {
    if (this != &other) {
      abandon();
      state_ = std::move(other.state_);
    }
    return *this;
  }

  Future<T> future() const { return Future<T>(state_); }
  // Whether it was kept.
  bool kept() const { return state_->ready(); }
  void set_value(detail::FutureValue<T> value = {}) {
    POLARSIM_ASSERT(!kept(), "a promise was kept twice");
    state_->value.emplace(std::move(value));
    state_->waiters.notify_all();
  }
  void set_exception(std::exception_ptr error) {
    POLARSIM_ASSERT(!kept() && error != nullptr, "a promise was kept twice, or with nothing");
    state_->error = std::move(error);
    state_->waiters.notify_all();
  }

 private:
  using State = detail::FutureState<T>;
  void abandon() {
    if (state_ != nullptr && !state_->ready()) set_exception(std::make_exception_ptr(BrokenPromise()));
  }
  std::shared_ptr<State> state_;
};

}  // namespace polarsim::sim
