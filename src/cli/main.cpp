// The entry point of the program `freshet`.
#include <vector>

#include "cli/process.hpp"

int main(int argument_count, char** arguments) {
  return freshet::cli::run_process({arguments + 1, arguments + argument_count});
}
