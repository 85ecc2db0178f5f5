// Carries out requests, each in its group's file. A request neither ends the process nor closes the
// store, so that many can run against one store.
//
// Failure: what a user can expect is a Failure; a broken world is an Error, passed on.
#pragma once

#include <optional>

#include "cli/failure.hpp"
#include "cli/request.hpp"
#include "cli/session.hpp"

namespace freshet::cli {

// Nothing on success; the answers have gone to the session by then.
using Result = std::optional<Failure>;

[[nodiscard]] Result run(const Request& request, Session& session);

// One for each kind of request.
[[nodiscard]] Result run_request(const ChangeOrder& request, Session& session);
[[nodiscard]] Result run_request(const ImportOrders& request, Session& session);
[[nodiscard]] Result run_request(const GetOrder& request, Session& session);
[[nodiscard]] Result run_request(const ListOrders& request, Session& session);
[[nodiscard]] Result run_request(const ShowStats& request, Session& session);
[[nodiscard]] Result run_request(const ShowHistory& request, Session& session);
[[nodiscard]] Result run_request(const ShowLog& request, Session& session);
[[nodiscard]] Result run_request(const VerifyLog& request, Session& session);
[[nodiscard]] Result run_request(const ExportLog& request, Session& session);
[[nodiscard]] Result run_request(const ImportLog& request, Session& session);
[[nodiscard]] Result run_request(const BackUpLog& request, Session& session);
[[nodiscard]] Result run_request(const ListProjections& request, Session& session);
[[nodiscard]] Result run_request(const RebuildProjections& request, Session& session);
[[nodiscard]] Result run_request(const RemoveProjection& request, Session& session);
[[nodiscard]] Result run_request(const RenameProjection& request, Session& session);
[[nodiscard]] Result run_request(const ListDeadLetters& request, Session& session);
[[nodiscard]] Result run_request(const RetryDeadLetters& request, Session& session);
[[nodiscard]] Result run_request(const DiscardDeadLetters& request, Session& session);
[[nodiscard]] Result run_request(const MeasureVisibility& request, Session& session);
[[nodiscard]] Result run_request(const MeasureThroughput& request, Session& session);
[[nodiscard]] Result run_request(const ListDemos& request, Session& session);
[[nodiscard]] Result run_request(const PrintDemo& request, Session& session);
[[nodiscard]] Result run_request(const PlayDemo& request, Session& session);
[[nodiscard]] Result run_request(const PlayScript& request, Session& session);

// What changes or outlives the session is carried out by whoever runs it, and not here.
[[nodiscard]] Result run_request(const RunShell& request, Session& session);
[[nodiscard]] Result run_request(const ChangeBus& request, Session& session);

}  // namespace freshet::cli
