#include "engine/storage/control_file.h"

#include <gtest/gtest.h>

#include <optional>

#include "engine/storage/storage_test_support.h"
#include "sim/test_crash_point.h"

namespace polarsim::engine::storage::testing {
namespace {

ControlData sample(Lsn redo) {
  ControlData data;
  data.checkpoint = {redo, 3, 5'000'000'017, 7, 16400, 11, 2, -5};
  data.minimum_end = redo + 100;
  return data;
}

class ControlFileTest : public ::testing::Test {
 protected:
  void write(Lsn redo) {
    host_.run([&](sim::Host& self) {
      ControlFile control(self);
      try {
        control.read();
      } catch (const SqlError&) {
      }
      control.write(sample(redo));
    });
  }
  std::optional<ControlData> read() {
    std::optional<ControlData> data;
    host_.run([&](sim::Host& self) { data = ControlFile(self).read(); });
    return data;
  }
  void expect(Lsn redo) {
    const auto data = read();
    ASSERT_TRUE(data) << host_.error();
    EXPECT_EQ(data->checkpoint, sample(redo).checkpoint);
    EXPECT_EQ(data->minimum_end, sample(redo).minimum_end);
  }
  StorageHost host_;
};

TEST_F(ControlFileTest, ComesBackAsItWasWritten) {
  EXPECT_FALSE(read());
  for (const Lsn redo : {1000U, 1001U, 1002U}) {
    write(redo);
    host_.host().crash();
    expect(redo);
  }
}

TEST_F(ControlFileTest, OneDamagedSlotDoesNoHarm) {
  write(1000);
  for (Lsn redo = 1001; redo < 1010; ++redo) {
    for (const std::uint64_t slot : {0U, 4096U}) {
      write(redo);
      host_.disk().damage(control_file_path, slot + redo % 100, 0x20);
      expect(redo);
    }
  }
  EXPECT_EQ(host_.reached("control/slot-damaged"), 18U + 16U + 1U);
}

TEST_F(ControlFileTest, UnreadableSlotDoesNoHarmAndIsWrittenAnew) {
  write(1000);
  host_.disk().make_unreadable(control_file_path, 0);
  expect(1000);
  write(1001);
  EXPECT_EQ(host_.error(), "");
  EXPECT_TRUE(host_.disk().damage_report().empty());
  expect(1001);
}

TEST_F(ControlFileTest, TwoDamagedSlotsAreRefused) {
  write(1000);
  host_.disk().damage(control_file_path, 10, 0x20);
  host_.disk().damage(control_file_path, 4096 + 500, 0x20);
  EXPECT_FALSE(read());
  EXPECT_EQ(host_.error(), "XX001: control file \"control\" is damaged");
}

TEST_F(ControlFileTest, FileOfZerosIsRefused) {
  host_.run([](sim::Host& self) {
    auto file = self.disk().open(control_file_path, sim::OpenMode::create);
    ASSERT_TRUE(file && file->truncate(8192) && file->sync() && self.disk().sync_directory());
  });
  EXPECT_FALSE(read());
  EXPECT_EQ(host_.error(), "XX001: control file \"control\" is damaged");
}

// Power losses at each operation of the first write and of a later one leave the old or the new contents.
TEST(ControlFileCrash, LeavesOldOrNew) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    for (std::uint64_t at = 1; at <= 20; ++at) {
      StorageHost host(seed);
      Lsn acknowledged = 0;
      Lsn attempted = 0;
      sim::CrashPoint crash(host.host());
      crash.arm(at);
      host.run([&](sim::Host& self) {
        ControlFile control(self);
        for (Lsn redo = 1; redo <= 3; ++redo) {
          attempted = redo;
          control.write(sample(redo));
          acknowledged = redo;
        }
      });
      crash.arm(0);
      std::optional<ControlData> found;
      host.run([&](sim::Host& self) { found = ControlFile(self).read(); });
      ASSERT_EQ(host.error(), "") << "seed " << seed << ", crash " << at;
      ASSERT_GE(found ? found->checkpoint.redo : 0, acknowledged) << "seed " << seed << ", crash " << at;
      ASSERT_LE(found ? found->checkpoint.redo : 0, attempted) << "seed " << seed << ", crash " << at;
    }
  }
}

}  // namespace
}  // namespace polarsim::engine::storage::testing
