// Standard output: answers, written out as soon as they are known.
#pragma once

#include <string_view>

namespace freshet::cli {

class Output {
 public:
  // False: whoever read it has gone, which is no error (`| head -1`). Throws Error `io` or `disk_full` if
  // it cannot be written.
  bool write(std::string_view text);

  // Whether somebody still reads, as far as the system can tell.
  [[nodiscard]] bool has_reader() const;

 private:
  bool is_closed_ = false;
};

}  // namespace freshet::cli
