// Measurements of the simulator's own speed, in processor time: other programs of the machine disturb it less than wall
// time, and the simulator has one thread. They read a real clock, so they live beside the command.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace polarsim::scenarios::cli {

struct Measurement {
  std::string name;
  double value = 0;
  std::string unit;
  std::string summary;
  std::string target = {};  // what is wanted, e.g. "<= 1.5"; empty: nothing in particular
};

struct Benchmark {
  std::string name;  // its measurements' names begin with it
  std::vector<Measurement> (*run)();
};
const std::vector<Benchmark>& benchmarks();

// Processor seconds of one call of `body(n)` divided by n: the fastest of several rounds, with n grown until a round
// lasts long enough to be measured. The fastest round is the one that other programs disturbed least.
double seconds_each(const std::function<void(std::uint64_t)>& body);

// What one record of the digest costs, hashing included.
double digest_record_seconds();

std::vector<Measurement> bench_fiber();
std::vector<Measurement> bench_timer();
std::vector<Measurement> bench_scheduler();
std::vector<Measurement> bench_memory();
std::vector<Measurement> bench_network();
std::vector<Measurement> bench_digest();
// Beside SimGrid, if the reference program was built (see docs/dependencies.md); nothing otherwise.
std::vector<Measurement> bench_simgrid();
std::vector<Measurement> bench_append();
// Beside LMDB.
std::vector<Measurement> bench_btree();
std::vector<Measurement> bench_redo();
std::vector<Measurement> bench_checkpoint();
std::vector<Measurement> bench_rows();
// Beside pg_query_parse().
std::vector<Measurement> bench_sql_parse();
// Through a coordinator and a data node.
std::vector<Measurement> bench_sql_statements();
std::vector<Measurement> bench_sql_router();
std::vector<Measurement> bench_sql_scan();
std::vector<Measurement> bench_sql_join();
std::vector<Measurement> bench_sql_copy();
std::vector<Measurement> bench_checkers_lists();
std::vector<Measurement> bench_checkers_registers();

}  // namespace polarsim::scenarios::cli
