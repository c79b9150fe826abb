// The world outside: wall clock, terminal, SIGINT. Nothing else in the project touches them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace polarsim::scenarios::cli {

// Monotonic.
double wall_seconds();
// Processor time that this process has used.
double processor_seconds();

// From now on SIGINT only sets a switch; a second one ends the program at once.
void catch_interrupts();
bool interrupted();

// Whether stdout should carry colour: a terminal, and no NO_COLOR in the environment.
bool color_wanted();
// Columns of the terminal on stdout; 100 if it is none.
std::size_t terminal_width();
// The same without limits; 0 if stdout is no terminal, or does not know.
std::size_t terminal_columns();

// How the user called the program, so that a command that it prints can be pasted: what the launcher in the checkout
// says in POLARSIM_COMMAND, else argv[0].
void set_program_name(const char* argv0);
const std::string& program_name();

void print(const std::string& text);  // to stdout
// Why not everything that was printed has reached stdout; empty if it has.
std::string output_error();
// One line to stderr, after "polarsim: ". What a message quotes may be of any size and hold anything: see
// shortened_line().
void print_error(const std::string& text);
// Control characters become blanks; a word longer than 160 bytes and a line longer than 900 lose their middle. Both
// limits leave paths and lists of permitted names whole.
std::string shortened_line(std::string_view text);

// One line on stderr that is redrawn while something takes long. Silent if stderr is no terminal, during the first
// second, and more often than ten times a second.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  // `text` is only called when the line is drawn.
  void update(const std::function<std::string()>& text);
  void clear();

 private:
  bool terminal_;
  bool drawn_ = false;
  double started_at_;
  double drawn_at_ = 0;
};

// "[#######.............]" for a share from 0 to 1.
std::string progress_bar(double share);

}  // namespace polarsim::scenarios::cli
