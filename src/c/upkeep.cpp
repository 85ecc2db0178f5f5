// The state of projections, dead letters, rebuilds, verification and backups.
#include "c/guard.hpp"
#include "c/handles.hpp"
#include "freshet/maintenance.hpp"

namespace freshet::c {
namespace {

DeadLetterChoice choice_of(const char* projection) {
  DeadLetterChoice choice;
  if (projection != nullptr) choice.projection = projection;
  return choice;
}

[[noreturn]] void refuse(const char* projection) {
  throw Error(ErrorCode::invalid, std::string("there is no projection '") + projection + "' in this store");
}

}  // namespace
}  // namespace freshet::c

using freshet::c::choice_of;
using freshet::c::given;
using freshet::c::given_text;
using freshet::c::guarded;
using freshet::c::place;
using freshet::c::sure;

freshet_code freshet_projection_status(freshet_store* store, const char* projection, freshet_status* status,
                                       freshet_error* error) {
  return guarded(error, [&] {
    const std::string_view wanted = given_text(projection);
    for (const freshet::ProjectionStatus& found : given(store).store.projections()) {
      if (found.name != wanted) continue;
      place(status) = {.schema_version = found.schema_version,
                       .position = found.position.value,
                       .head = found.head.value,
                       .behind_events = found.behind_events,
                       .behind = found.behind.count(),
                       .duplicates_skipped = found.duplicates_skipped,
                       .dead_letters = found.dead_letters,
                       .projected_by = found.projected_by.value_or(0)};
      return FRESHET_OK;
    }
    freshet::c::refuse(projection);
  });
}

freshet_code freshet_rebuild(freshet_store* store, const char* projection, freshet_error* error) {
  return guarded(error, [&] {
    if (given(store).store.rebuild(given_text(projection))) return FRESHET_OK;
    return freshet::c::report(error, FRESHET_CLOSED, "the store was closed before the rebuild was done");
  });
}

freshet_code freshet_dead_letters_read(freshet_store* store, const char* projection, freshet_dead_letters** letters,
                                       freshet_error* error) {
  return guarded(error, [&] {
    place(letters) = nullptr;
    *letters = new freshet_dead_letters{given(store).store.dead_letters(choice_of(projection))};
    return FRESHET_OK;
  });
}

size_t freshet_dead_letters_count(const freshet_dead_letters* letters) {
  return sure(letters).letters.size();
}

freshet_dead_letter freshet_dead_letters_at(const freshet_dead_letters* letters, size_t index) {
  freshet::ensure(index < sure(letters).letters.size(), "an index is below the number of dead letters");
  const freshet::DeadLetter& letter = letters->letters[index];
  return {.projection = letter.projection.c_str(),
          .category = letter.stream.category.c_str(),
          .id = letter.stream.id.c_str(),
          .type = letter.type.c_str(),
          .reason = letter.reason.c_str(),
          .position = letter.position.value,
          .version = letter.version.value,
          .attempts = letter.attempts,
          .at = letter.at.time_since_epoch().count()};
}

void freshet_dead_letters_free(freshet_dead_letters* letters) {
  delete letters;
}

freshet_code freshet_dead_letters_retry(freshet_store* store, const char* projection, int64_t* count,
                                        freshet_error* error) {
  return guarded(error, [&] {
    const std::int64_t applied = given(store).store.retry_dead_letters(choice_of(projection));
    if (count != nullptr) *count = applied;
    return FRESHET_OK;
  });
}

freshet_code freshet_dead_letters_discard(freshet_store* store, const char* projection, int64_t* count,
                                          freshet_error* error) {
  return guarded(error, [&] {
    const std::int64_t discarded = given(store).store.discard_dead_letters(choice_of(projection));
    if (count != nullptr) *count = discarded;
    return FRESHET_OK;
  });
}

freshet_code freshet_remove_projection(const char* file, const char* projection, int64_t busy_timeout, bool* found,
                                       freshet_error* error) {
  return guarded(error, [&] {
    const bool is_there =
        freshet::remove_projection(given_text(file), given_text(projection), freshet::Duration{busy_timeout})
            .has_value();
    if (found != nullptr) *found = is_there;
    return FRESHET_OK;
  });
}

freshet_code freshet_rename_projection(const char* file, const char* projection, const char* new_name,
                                       int64_t busy_timeout, bool* found, freshet_error* error) {
  return guarded(error, [&] {
    const bool is_there = freshet::rename_projection(given_text(file), given_text(projection), given_text(new_name),
                                                     freshet::Duration{busy_timeout});
    if (found != nullptr) *found = is_there;
    return FRESHET_OK;
  });
}

freshet_code freshet_verify(freshet_store* store, freshet_error* error) {
  return guarded(error, [&] {
    const freshet::Verification verification = given(store).store.verify();
    if (verification.problems.empty()) return FRESHET_OK;
    return freshet::c::report(error, FRESHET_CORRUPT, verification.problems.front());
  });
}

freshet_code freshet_backup(freshet_store* store, const char* file, bool replace, freshet_error* error) {
  return guarded(error, [&] {
    const auto existing = replace ? freshet::ExistingFile::replace : freshet::ExistingFile::refuse;
    if (given(store).store.backup(given_text(file), existing)) return FRESHET_OK;
    return freshet::c::report(error, FRESHET_CLOSED, "the store was closed before the backup was done");
  });
}
