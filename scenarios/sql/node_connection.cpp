#include "scenarios/sql/node_connection.h"

#include <utility>

#include "engine/node/instance.h"
#include "engine/syntax/parser.h"
#include "engine/types/error.h"
#include "scenarios/sql/copy_ends.h"
#include "scenarios/sql/node_answer.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::sql {
namespace {

using namespace engine;

// One statement's.
struct Copying final : CopyStream {
  explicit Copying(std::string bytes) : source(std::move(bytes)) {}
  CopySource& start_in(std::size_t /*columns*/, bool /*binary*/) override { return source; }
  CopySink& start_out(std::size_t /*columns*/, bool /*binary*/) override {
    written = true;
    return sink;
  }
  CopiedBytes source;
  CopiedLines sink;
  bool written = false;
};

// Everything that the node knows lives on the stack of the host's program.
class NodeConnection final : public Connection {
 public:
  NodeConnection() : host_(simulation_.add_host("node")) {
    host_.set_program([this](sim::Host& host) {
      const std::unique_ptr<Instance> instance = Instance::open(host, {});
      const std::unique_ptr<LocalSession> session = instance->connect();
      session_ = session.get();
      host.scheduler().park("the end of the connection");
    });
    host_.boot();
    simulation_.run(simulation_.now() + sim::Duration(10'000'000'000));
    if (session_ == nullptr) throw ConnectionError("the node does not start");
  }

  Answer run(const std::string& statement) override { return copy_in(statement, ""); }
  Answer copy_in(const std::string& statement, const std::string& bytes) override {
    Answer answer;
    const sim::TaskRef task = host_.spawn("statement", [&] {
      Copying copying(bytes);
      session_->set_copy_stream(&copying);
      answer = execute(statement);
      session_->set_copy_stream(nullptr);
      if (copying.written && !answer.error) answer.copied = std::move(copying.sink.lines);
    });
    simulation_.run_until(task);
    if (simulation_.violation()) throw ConnectionError("the node broke the invariant " + simulation_.violation()->name);
    if (!task.finished()) throw ConnectionError("the statement does not end: " + statement);
    return answer;
  }
  std::string name() const override { return "polarsim"; }

 private:
  Answer execute(const std::string& text) {
    try {
      std::vector<syntax::StatementPtr> statements;
      host_.scheduler().on_scheduler_stack([&] { statements = syntax::parse(text); });
      QueryResult result;
      for (const syntax::StatementPtr& statement : statements) result = session_->execute({statement, text});
      return answer_of(result, session_->output_context());
    } catch (const SqlError& error) {
      return answer_of(error);
    } catch (const std::exception& error) {
      return answer_of(SqlError("a defect", error.what()));
    }
  }

  LocalSession* session_ = nullptr;
  sim::Simulation simulation_{sim::SimulationOptions{}};
  sim::Host& host_;
};

}  // namespace

std::unique_ptr<Connection> make_node_connection() { return std::make_unique<NodeConnection>(); }

}  // namespace polarsim::scenarios::sql
