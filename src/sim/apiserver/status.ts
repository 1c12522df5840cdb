/** The refusals that the HTTP layer itself makes, and their bodies. */
import type { ApiAnswer } from './door.ts';
import { Failure, type FailureDetails } from './failure.ts';

/** What go-restful's router refuses inside a served group and version (server/config.go `serviceErrorHandler`). */
export const noSuchResource = () => new Failure(404, 'NotFound', 'the server could not find the requested resource', {});

export const methodNotAllowed = () =>
  new Failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

export const notAcceptable = (accepted: readonly string[]) =>
  new Failure(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`);

export const unsupportedMediaType = (accepted: readonly string[]) =>
  new Failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

/** 504 for a version that this server has not reached. The real one waits 3 s for it first; here nothing can be under way. */
export function tooLargeVersion(asked: number, current: number): Failure {
  return new Failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

export interface StatusBody {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: FailureDetails;
  readonly code?: number;
}

/** Empty strings are left out, as Go's `omitempty` does. */
function withoutEmpty(details: FailureDetails): FailureDetails {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined && value !== '' && value !== 0));
}

/** The metav1.Status of a refusal. */
export function statusBody(failure: Failure): StatusBody {
  const { continueToken } = failure as { continueToken?: string };
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: continueToken === undefined ? {} : { continue: continueToken },
    status: 'Failure',
    ...(failure.message ? { message: failure.message } : {}),
    ...(failure.reason ? { reason: failure.reason } : {}),
    ...(failure.details ? { details: withoutEmpty(failure.details) } : {}),
    code: failure.code,
  };
}

export function refusal(failure: Failure): ApiAnswer {
  const seconds = failure.details?.retryAfterSeconds;
  return {
    code: failure.code,
    body: statusBody(failure),
    ...(seconds ? { headers: { 'Retry-After': String(seconds) } } : {}),
  };
}

/** For subresources that answer with a Status although nothing went wrong. */
export function success(code: number): ApiAnswer {
  return { code, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code } };
}
