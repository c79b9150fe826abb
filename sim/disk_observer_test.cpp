// The observer of a disk: what it is told, and crashes at every operation that it counts.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "sim/disk.h"
#include "sim/simulation.h"

namespace polarsim::sim {
namespace {

struct DiskObserverTest : ::testing::Test {
  Host& host() { return machine; }
  Disk& disk() { return host().disk(); }
  void run(std::function<void()> body) {
    host().set_program([body = std::move(body)](Host&) { body(); });
    host().boot();
    simulation.run();
  }
  Simulation simulation{{}};
  Host& machine = simulation.add_host("h");
};

TEST_F(DiskObserverTest, IsToldOfEveryOperationBeforeItBegins) {
  std::vector<std::string> seen;
  disk().set_observer([&](DiskOperation operation, const std::string& path) {
    seen.push_back(std::string(to_string(operation)) + " " + path);
    // Not yet.
    if (operation == DiskOperation::create) {
      EXPECT_FALSE(disk().exists(path));
    }
    if (operation == DiskOperation::remove) {
      EXPECT_TRUE(disk().exists(path));
    }
    if (operation == DiskOperation::write) {
      EXPECT_EQ(disk().status(path)->size, 0U);
    }
  });
  run([&] {
    ASSERT_TRUE(disk().make_directory("d"));
    File file = *disk().open("d/a", OpenMode::create);
    ASSERT_TRUE(file.write(0, "text"));
    ASSERT_TRUE(file.truncate(2));
    ASSERT_TRUE(file.sync());
    ASSERT_TRUE(disk().sync_directory("d"));
    ASSERT_TRUE(disk().rename("d/a", "d/b"));
    std::string text;
    ASSERT_TRUE(file.read(0, 4, text));
    ASSERT_TRUE(disk().open("d/b", OpenMode::existing, {.truncate = true}));
    ASSERT_TRUE(disk().remove("d/b"));
    ASSERT_TRUE(disk().remove_directory("d"));
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"make directory d", "create d/a", "write d/a", "truncate d/a", "sync d/a",
                                            "sync directory d", "rename d/a", "read d/b", "truncate d/b", "remove d/b",
                                            "remove directory d"}));
}

// Whatever the operation is that the host does not live to see begin: it has no effect, and what came before has.
TEST_F(DiskObserverTest, CrashBeforeAnOperationPreventsIt) {
  std::uint64_t countdown = 0;
  disk().set_observer([&](DiskOperation, const std::string&) {
    if (countdown != 0 && --countdown == 0) host().crash();
  });
  const std::vector<std::string> steps{"create", "sync of the name", "write", "sync", "rename", "sync of the rename"};
  for (std::size_t step = 1; step <= steps.size() + 1; ++step) {
    SCOPED_TRACE(step <= steps.size() ? steps[step - 1] : "none");
    bool finished = false;
    countdown = step;
    run([&] {
      File file = *disk().open("a", OpenMode::create);
      ASSERT_TRUE(disk().sync_directory());
      ASSERT_TRUE(file.write(0, "text"));
      ASSERT_TRUE(file.sync());
      ASSERT_TRUE(disk().rename("a", "b"));
      ASSERT_TRUE(disk().sync_directory());
      finished = true;
    });
    EXPECT_EQ(finished, step > steps.size());
    EXPECT_EQ(host().up(), false);
    if (step == 1) {
      EXPECT_TRUE(disk().list().empty());
    }
    if (step == 3) {
      EXPECT_EQ(disk().clean_contents("a"), "");
    }
    if (step == 5) {
      EXPECT_EQ(disk().clean_contents("a"), "text");
    }
    if (step == 7) {
      EXPECT_EQ(disk().clean_contents("b"), "text");
    }
    disk().replace_with_blank();
  }
}

// An observer that is asked outside of any task: the call is told that the disk is gone.
TEST_F(DiskObserverTest, CrashOutsideOfATaskMakesTheCallFail) {
  host().set_program([](Host& self) { self.sleep_for(Duration(1'000'000)); });
  host().boot();
  disk().set_observer([&](DiskOperation, const std::string&) { host().crash(); });
  const auto made = disk().make_directory("d");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(), DiskError::offline);
  EXPECT_FALSE(disk().exists("d"));
}

}  // namespace
}  // namespace polarsim::sim
