/* The one list of error codes. Included with ERR_CODE(name, http_status, exit_code, retryable, sentence)
 * defined. docs/generated/errors.md is written from it. 0 is success; codes are negative, in the order of
 * this list. */
ERR_CODE(INVALID, 400, 2, 0, "The input is malformed or out of range; the message names the place.")
ERR_CODE(NOT_FOUND, 404, 3, 0, "The named thing does not exist.")
ERR_CODE(CONFLICT, 409, 4, 0, "The thing is in a state that does not allow this.")
ERR_CODE(TOO_LARGE, 413, 5, 0, "A bound of limits.h is exceeded.")
ERR_CODE(CORRUPT, 422, 6, 0, "A file fails its checksum or breaks its format; nothing was read from it.")
ERR_CODE(LEAK, 422, 7, 0, "The leak audit found a feature that depends on the future.")
ERR_CODE(IO, 500, 8, 1, "The operating system refused a file, socket or process operation.")
ERR_CODE(NOMEM, 503, 9, 1, "Not enough memory.")
ERR_CODE(BUSY, 503, 10, 1, "Another process holds the resource; try again.")
ERR_CODE(UNAVAILABLE, 503, 11, 0,
         "An optional library or service is missing; the message says what to install.")
ERR_CODE(CANCELLED, 499, 12, 0, "The work was stopped on request.")
ERR_CODE(UNAUTHORIZED, 401, 13, 0, "A token is missing or not valid.")
ERR_CODE(FORBIDDEN, 403, 14, 0, "The request is not allowed from there.")
ERR_CODE(METHOD, 405, 15, 0, "The route exists, the method does not.")
ERR_CODE(INTERNAL, 500, 70, 0, "A library failed in a way that is not the input's fault.")
