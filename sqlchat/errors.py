"""Defines all failures of a request as one tree of exceptions. Imports nothing of ours.

    SqlchatError                          500 internal_error
    ├── BadRequestError                   400 bad_request
    │   ├── PayloadError                  400 payload_invalid       errors: field -> messages
    │   ├── DialectUnknownError           400 dialect_unknown
    │   ├── ProviderUnknownError          400 provider_unknown
    │   ├── ProviderNotConfiguredError    400 provider_not_configured
    │   ├── ConnectionConfigError         400 connection_failed
    │   ├── SQLSyntaxError                400 sql_syntax            line, column
    │   ├── SQLRefusedError               400 sql_refused
    │   ├── QueryError                    400 sql_failed            sqlstate, position
    │   │   └── UnknownNameError          400 sql_failed            unknown_names
    │   ├── FileInvalidError              400 file_invalid          line
    │   ├── RequestTimeoutError           400 request_timeout
    │   ├── UriTooLongError               400 uri_too_long
    │   ├── HeadersTooLargeError          400 headers_too_large
    │   ├── TransferCodingError           400 not_implemented
    │   └── ExpectationError              400 expectation_failed
    ├── UnauthorizedError                 401 unauthorized
    ├── ForbiddenError                    403 forbidden
    ├── NotFoundError                     404 not_found
    │   ├── ConnectionNotFoundError       404 connection_not_found
    │   ├── ExampleNotFoundError          404 example_not_found
    │   ├── ConversationNotFoundError     404 conversation_not_found
    │   ├── EntryNotFoundError            404 entry_not_found
    │   ├── FeedbackNotFoundError         404 feedback_not_found
    │   ├── SemanticModelNotFoundError    404 semantic_model_not_found
    │   ├── BucketNotFoundError           404 bucket_not_found
    │   └── FileNotFoundInStorageError    404 file_not_found
    ├── NotAcceptableError                406 not_acceptable
    ├── ConflictError                     409 conflict
    ├── TooLargeError                     413 too_large
    ├── UnsupportedMediaError             415 unsupported_media_type
    ├── QuestionError                     422 question_not_answerable
    ├── RateLimitedError                  429 rate_limited          Retry-After
    │   └── BudgetError                   429 budget_spent          budget
    ├── BadGatewayError                   502 bad_gateway
    │   ├── ModelError                    502 model_failed
    │   └── StorageError                  502 storage_failed
    ├── UnavailableError                  503 unavailable           Retry-After
    │   ├── DatabaseUnavailableError      503 database_unavailable
    │   ├── StoreUnavailableError         503 store_unavailable
    │   ├── BusyError                     503 busy
    │   ├── ForeignServerUnavailableError 503 foreign_server_unavailable
    │   └── CatalogChangedError           503 catalog_changed
    └── DeadlineError                     504 deadline_exceeded
        ├── QueryTimeoutError             504 query_timeout
        └── ModelTimeoutError             504 model_timeout

`detail` is a sentence for the caller, without secrets, stack traces and connection strings. `facts` are further
members of the problem body (`sqlstate`, `position`, ...), JSON values only.
"""

from __future__ import annotations

from typing import Any, ClassVar


class SqlchatError(Exception):
    """Base of all errors that a caller may see. It can be pickled, so that it crosses processes."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    of_surroundings: ClassVar[bool] = False
    """Whether the operator's set-up may be at fault, though the status is below 500."""

    def __init__(self, detail: str, *, retry_after: int | None = None, place: str = "", **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        """Seconds after which another try makes sense, or None."""
        self.place = place
        """Host and port of the service that failed, for the log alone."""
        self.facts = facts

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.detail, self.retry_after, self.place, self.facts)


def _rebuild(
    cls: type[SqlchatError], detail: str, retry_after: int | None, place: str, facts: dict[str, Any]
) -> SqlchatError:
    return cls(detail, retry_after=retry_after, place=place, **facts)


class BadRequestError(SqlchatError):
    status, code, title = 400, "bad_request", "Bad request"


class PayloadError(BadRequestError):
    code, title = "payload_invalid", "Invalid payload"


class DialectUnknownError(BadRequestError):
    code, title = "dialect_unknown", "Unknown SQL dialect"


class ProviderUnknownError(BadRequestError):
    code, title = "provider_unknown", "Unknown provider"


class ProviderNotConfiguredError(BadRequestError):
    code, title = "provider_not_configured", "Provider not configured"
    of_surroundings = True


class ConnectionConfigError(BadRequestError):
    code, title = "connection_failed", "Connection does not work"
    of_surroundings = True


class SQLSyntaxError(BadRequestError):
    code, title = "sql_syntax", "SQL does not parse"


class SQLRefusedError(BadRequestError):
    code, title = "sql_refused", "SQL not allowed"


class QueryError(BadRequestError):
    code, title = "sql_failed", "The database refused the SQL"


class UnknownNameError(QueryError):
    """The SQL has a name that the database, or its cached catalog, does not hold."""


class FileInvalidError(BadRequestError):
    code, title = "file_invalid", "File cannot be read"


class RequestTimeoutError(BadRequestError):
    code, title = "request_timeout", "The request did not arrive in time"


class UriTooLongError(BadRequestError):
    code, title = "uri_too_long", "URI too long"


class HeadersTooLargeError(BadRequestError):
    code, title = "headers_too_large", "Headers too large"


class TransferCodingError(BadRequestError):
    code, title = "not_implemented", "Not implemented"


class ExpectationError(BadRequestError):
    code, title = "expectation_failed", "Expectation failed"


class UnauthorizedError(SqlchatError):
    status, code, title = 401, "unauthorized", "Unauthorized"


class ForbiddenError(SqlchatError):
    status, code, title = 403, "forbidden", "Forbidden"
    of_surroundings = True


class NotFoundError(SqlchatError):
    status, code, title = 404, "not_found", "Not found"


class ConnectionNotFoundError(NotFoundError):
    code, title = "connection_not_found", "Connection not found"


class ExampleNotFoundError(NotFoundError):
    code, title = "example_not_found", "Example not found"


class ConversationNotFoundError(NotFoundError):
    code, title = "conversation_not_found", "Conversation not found"


class EntryNotFoundError(NotFoundError):
    code, title = "entry_not_found", "History entry not found"


class FeedbackNotFoundError(NotFoundError):
    code, title = "feedback_not_found", "Feedback not found"


class SemanticModelNotFoundError(NotFoundError):
    code, title = "semantic_model_not_found", "Semantic model not found"


class BucketNotFoundError(NotFoundError):
    code, title = "bucket_not_found", "Bucket not found"
    of_surroundings = True


class FileNotFoundInStorageError(NotFoundError):
    code, title = "file_not_found", "File not found"


class NotAcceptableError(SqlchatError):
    status, code, title = 406, "not_acceptable", "Not acceptable"


class ConflictError(SqlchatError):
    status, code, title = 409, "conflict", "Name already taken"


class TooLargeError(SqlchatError):
    status, code, title = 413, "too_large", "Too large"


class UnsupportedMediaError(SqlchatError):
    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class QuestionError(SqlchatError):
    status, code, title = 422, "question_not_answerable", "The question could not be turned into SQL"


class RateLimitedError(SqlchatError):
    status, code, title = 429, "rate_limited", "Rate limited"
    of_surroundings = True


class BudgetError(RateLimitedError):
    code, title = "budget_spent", "Budget spent"
    of_surroundings = False


class BadGatewayError(SqlchatError):
    status, code, title = 502, "bad_gateway", "Bad gateway"


class ModelError(BadGatewayError):
    code, title = "model_failed", "The model failed"


class StorageError(BadGatewayError):
    code, title = "storage_failed", "The storage failed"


class UnavailableError(SqlchatError):
    status, code, title = 503, "unavailable", "Unavailable"


class DatabaseUnavailableError(UnavailableError):
    code, title = "database_unavailable", "The database cannot be reached"


class StoreUnavailableError(UnavailableError):
    code, title = "store_unavailable", "The service's own store cannot be reached"


class BusyError(UnavailableError):
    code, title = "busy", "Too busy"


class ForeignServerUnavailableError(UnavailableError):
    """A server from which the database reads a table, such as a shard, does not answer; the database does."""

    code, title = "foreign_server_unavailable", "A server behind the database cannot be reached"


class CatalogChangedError(UnavailableError):
    """The database's definitions have changed since the SQL was examined."""

    code, title = "catalog_changed", "The database is changing"


class DeadlineError(SqlchatError):
    status, code, title = 504, "deadline_exceeded", "Deadline exceeded"


class QueryTimeoutError(DeadlineError):
    code, title = "query_timeout", "The query took too long"


class ModelTimeoutError(DeadlineError):
    code, title = "model_timeout", "The model took too long"
