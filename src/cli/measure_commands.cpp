// The group `measure`: visibility, throughput.
#include <fmt/format.h>
#include <sys/statfs.h>

#include "cli/commands.hpp"
#include "cli/output_file.hpp"
#include "cli/temporary_database.hpp"
#include "report/html.hpp"

namespace freshet::cli {
namespace {

// As <linux/magic.h> has it.
constexpr auto tmpfs_magic = 0x01021994;

// A disk that is none makes every number of a disk meaningless.
void warn_of_memory(const std::filesystem::path& file, Session& session) {
  struct statfs status{};
  const std::filesystem::path directory = file.has_parent_path() ? file.parent_path() : ".";
  if (::statfs(directory.c_str(), &status) != 0 || status.f_type != tmpfs_magic) return;
  session.note(fmt::format("warning: '{}' is in memory and no disk: use --keep FILE, or TMPDIR, to measure a disk",
                           directory.string()));
}

// Runs one of the two measurements on a database of its own.
template <typename Measure, typename Measurement>
Result run_measurement(Measure measure, const Measurement& request, Session& session) {
  std::optional<OutputFile> page;
  if (request.html) page.emplace(*request.html, request.existing, FilesInUse{.database = request.keep});
  const TemporaryDatabase database{request.keep};
  warn_of_memory(database.file(), session);
  const auto measured = measure(database.file(), request.options, [&session](std::int64_t done, std::int64_t total) {
    session.progress("measure", done, total);
    return session.interrupted() == 0;
  });
  if (!measured) return interrupted_failure(session.interrupted(), "interrupted: nothing is reported of a part");
  if (page) {
    page->write(report::render_html(*measured));
    page->commit();
  }
  session.answer(*measured);
  return std::nullopt;
}

}  // namespace

Result run_request(const MeasureVisibility& request, Session& session) {
  return run_measurement(measure::visibility, request, session);
}

Result run_request(const MeasureThroughput& request, Session& session) {
  return run_measurement(measure::throughput, request, session);
}

}  // namespace freshet::cli
