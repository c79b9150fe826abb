// An echo service and a client on two simulated hosts, judged by a checker: the smallest use of the installed package.
#include <cstdio>
#include <string>

#include "checkers/checkers.h"
#include "checkers/history.h"
#include "sim/simulation.h"

using namespace polarsim;

namespace {

void serve_echo(sim::Host& host) {
  auto listener = host.listen(7);
  while (auto connection = listener->accept()) {
    std::string bytes;
    while (connection->receive(bytes).value_or(0) > 0) {
      if (!connection->send(bytes)) break;
      bytes.clear();
    }
  }
}

std::string echo_once(sim::Host& host, const std::string& text) {
  auto connection = host.connect({"server", 7});
  if (!connection || !connection->send(text)) return "";
  connection->shutdown_send();
  std::string answer;
  while (connection->receive(answer).value_or(0) > 0) {
  }
  return answer;
}

}  // namespace

int main() {
  sim::Simulation simulation({.seed = 7});
  simulation.add_host("server").set_program(serve_echo);
  std::string answer;
  simulation.add_host("client").set_program([&answer](sim::Host& host) { answer = echo_once(host, "hello"); });
  simulation.host("server").boot();
  simulation.host("client").boot();
  simulation.run(sim::time_zero + std::chrono::seconds(1));

  const auto history = checkers::read_history(
      "{:index 0, :time 0, :type :invoke, :process 0, :f :txn, :value [[:append 1 1]]}\n"
      "{:index 1, :time 1, :type :ok, :process 0, :f :txn, :value [[:append 1 1]]}\n"
      "{:index 2, :time 2, :type :invoke, :process 1, :f :txn, :value [[:r 1 nil]]}\n"
      "{:index 3, :time 3, :type :ok, :process 1, :f :txn, :value [[:r 1 [1]]]}\n",
      "inline");
  if (!history) {
    std::fprintf(stderr, "%s\n", history.error().message.c_str());
    return 1;
  }
  const checkers::Verdict verdict = checkers::check_list_append(*history, {.model = "serializable"});
  std::printf("echo: %s, history: %s, digest: %s\n", answer.c_str(), checkers::to_string(verdict.validity),
              simulation.digest().value().hex().c_str());
  return answer == "hello" && verdict.validity == checkers::Validity::valid ? 0 : 1;
}
