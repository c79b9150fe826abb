// For tests: power losses before every disk operation of a program, and before every operation of the recovery that
// follows.
//
// A program is run once to count its operations, then once for each of them, on a disk that a common setup has
// prepared. What a power loss leaves of unsynced writes is drawn anew each time (sim/disk.h), so several seeds see
// torn, lost and surviving writes. Whatever happens, recovery has to succeed and the check has to hold.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/node/node_test_support.h"
#include "sim/crash_states.h"
#include "sim/test_crash_point.h"

namespace polarsim::engine::testing {

// One run of the program: what its clients learn before the crash is outside of the world, so that `check` can use it.
struct CrashRun {
  std::function<void(TestNode&)> work;
  // On a recovered node: what is wrong; empty if nothing is.
  std::function<std::string(TestNode&)> check;
};

struct CrashMatrixOptions {
  std::vector<std::uint64_t> seeds{1};
  // Every so-manieth operation of the program, and of each recovery; 0: none.
  std::uint64_t operation_stride = 1;
  std::uint64_t recovery_stride = 1;
};

struct CrashMatrixResult {
  std::uint64_t operations = 0;  // of the program, over all seeds
  std::uint64_t crashes = 0;
  std::uint64_t crashes_in_recovery = 0;
  std::string problem;  // the first, with seed and operation; empty if there was none
};

class CrashMatrix {
 public:
  // Runs `setup` once, with a checkpoint behind it.
  CrashMatrix(NodeConfig config, const std::function<void(TestNode&)>& setup) : config_(config) {
    const auto node = std::make_unique<TestNode>(1, config_);
    node->run([&](TestNode& running) {
      setup(running);
      running.connect().run("CHECKPOINT");
    });
    if (!node->finished()) problem_ = "the setup did not end";
    prepared_ = sim::durable_image(node->host().disk());
  }

  // A node on a disk as the setup has left it.
  std::unique_ptr<TestNode> fresh_node(std::uint64_t seed) const { return node_with(seed, prepared_); }

  CrashMatrixResult run(const std::function<CrashRun()>& make_run, const CrashMatrixOptions& options) const {
    CrashMatrixResult result;
    result.problem = problem_;
    for (const std::uint64_t seed : options.seeds) {
      if (result.problem.empty()) run_seed(seed, make_run, options, result);
    }
    return result;
  }

 private:
  std::unique_ptr<TestNode> node_with(std::uint64_t seed, const sim::DiskImage& image) const {
    auto node = std::make_unique<TestNode>(seed, config_);
    node->host().disk().load(image);
    return node;
  }

  void run_seed(std::uint64_t seed, const std::function<CrashRun()>& make_run, const CrashMatrixOptions& options,
                CrashMatrixResult& result) const {
    // The last round has no operation left to prevent: the power fails when everything has been acknowledged.
    std::uint64_t last = 0;
    for (std::uint64_t n = 0; n <= last && result.problem.empty(); n += n == 0 ? 1 : options.operation_stride) {
      const CrashRun run = make_run();
      const auto node = node_with(seed, prepared_);
      sim::CrashPoint crash(node->host());
      node->run([&](TestNode& running) {
        crash.arm(n);
        run.work(running);
        last = n == 0 ? crash.operations() : last;
        running.host().crash();
      });
      if (n != 0) ++result.crashes;
      if (n == 0) result.operations += last;
      const std::string where =
          "seed " + std::to_string(seed) + ", crash " + (crash.struck().empty() ? "at the end" : crash.struck());
      if (n == 0 && last == 0) {
        result.problem = where + ": the program did not end, or did nothing";
      } else {
        check_recovery(seed, sim::durable_image(node->host().disk()), run, options, where, result);
      }
    }
  }

  // Recovers from the image, first undisturbed, then with a power loss before each operation of recovery.
  void check_recovery(std::uint64_t seed, const sim::DiskImage& image, const CrashRun& run,
                      const CrashMatrixOptions& options, const std::string& where, CrashMatrixResult& result) const {
    std::uint64_t last = 0;
    const std::uint64_t stride = options.recovery_stride;
    for (std::uint64_t k = 0; k <= last; k += k == 0 ? 1 : stride) {
      const auto node = node_with(seed + k, image);
      sim::CrashPoint crash(node->host());
      std::string context = where;
      if (k != 0) {
        crash.arm(k);
        const std::string failure = boot(*node, {});
        ++result.crashes_in_recovery;
        context += ", then in recovery " + crash.struck();
        if (!failure.empty()) result.problem = context + ": " + failure;
      }
      crash.arm(0);
      std::string found;
      std::string failure = boot(*node, [&](TestNode& running) {
        last = k == 0 && stride != 0 ? crash.operations() : last;
        found = run.check(running);
      });
      if (failure.empty() && !node->finished()) failure = "recovery or the check did not end";
      if (failure.empty()) failure = found;
      if (!failure.empty()) {
        if (result.problem.empty()) result.problem = context + ": " + failure;
        return;
      }
    }
  }

  // What made the node refuse to start, or the check fail with an error.
  static std::string boot(TestNode& node, const std::function<void(TestNode&)>& body) {
    try {
      node.run([&](TestNode& running) {
        if (body) body(running);
      });
    } catch (const SqlError& error) {
      return error.what();
    }
    return {};
  }

  NodeConfig config_;
  sim::DiskImage prepared_;
  std::string problem_;
};

}  // namespace polarsim::engine::testing
