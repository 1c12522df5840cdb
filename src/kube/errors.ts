/** Turns what went wrong on the way to the API server into one line: what is wrong, where, what to do. */
import type { IncomingHttpHeaders } from 'node:http';
import { type ClusterAccess, shownServer } from './access.ts';
import { KubeError, type KubeRequest, type Status } from './client.ts';
import { openEnvelope, readStatus } from './proto-envelope.ts';
import { BrokenFrame } from './proto-reader.ts';
import { ProxyError } from './transport.ts';

/** No answer came within the limit of the request. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
  readonly limitMs: number;

  constructor(limitMs: number) {
    super(`no answer within ${limitMs / 1000} s`);
    this.limitMs = limitMs;
  }
}

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; is the cluster up, and is the right context selected?',
  ENOTFOUND: 'no such host; check the server address of the context, or the DNS of this machine',
  EAI_AGAIN: 'its name cannot be looked up just now; check the DNS of this machine',
  ETIMEDOUT: 'the connection timed out; is a firewall or a VPN in between?',
  EHOSTUNREACH: 'no route to the host; is a firewall or a VPN in between?',
  ENETUNREACH: 'no route to the network; is this machine online?',
};

function tlsProblem(code: string, error: Error, access: ClusterAccess): string | undefined {
  if (UNTRUSTED.has(code)) {
    return `its certificate is not signed by ${access.tls.authoritySource}; check the certificate authority of the cluster in the kubeconfig`;
  }
  if (code === 'CERT_HAS_EXPIRED')
    return 'its certificate has expired; renew it on the cluster (and check the clock of this machine)';
  if (code === 'CERT_NOT_YET_VALID') return 'its certificate is not valid yet; check the clock of this machine';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = (error as { cert?: { subjectaltname?: string } }).cert?.subjectaltname ?? 'none';
    return `its certificate is for other names (${names}); set tls-server-name to one of them in the kubeconfig`;
  }
  if (code.startsWith('ERR_SSL_') && code.includes('ALERT')) {
    return `it refuses our TLS handshake (${code}); check the client certificate of ${access.credentials.owner}`;
  }
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO')
    return `it does not speak TLS (${code}); is the port right, or should the address be http://?`;
  return undefined;
}

/** For a request that got no (whole) answer: code 0; reason Timeout, Unreachable, Tls, Proxy or Cut. */
export function connectionError(access: ClusterAccess, request: KubeRequest, error: unknown): KubeError {
  const server = shownServer(access.server);
  if (error instanceof TimedOut) {
    return new KubeError(
      `${server} did not answer ${request.method} ${request.path} within ${error.limitMs / 1000} s; is it overloaded, or the network cut?`,
      {
        code: 0,
        reason: 'Timeout',
        cause: error,
      },
    );
  }
  const cause = error instanceof Error ? error : new Error(String(error));
  if (cause instanceof ProxyError)
    return new KubeError(`cannot reach ${server}: ${cause.message}`, { code: 0, reason: 'Proxy', cause });
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const tls = tlsProblem(code, cause, access);
  if (tls) return new KubeError(`cannot trust ${server}: ${tls}`, { code: 0, reason: 'Tls', cause });
  const unreachable = UNREACHABLE[code];
  if (unreachable) return new KubeError(`cannot reach ${server}: ${unreachable}`, { code: 0, reason: 'Unreachable', cause });
  return new KubeError(
    `the connection to ${server} was cut during ${request.method} ${request.path} (${code || cause.message})`,
    {
      code: 0,
      reason: 'Cut',
      cause,
    },
  );
}

/** The metav1.Status in an answer, be it JSON or protobuf; undefined when a proxy or a load balancer answered. */
export function statusOf(contentType: string, body: Buffer): Status | undefined {
  try {
    if (contentType.startsWith('application/vnd.kubernetes.protobuf')) {
      const { from, to } = openEnvelope(body, 0, body.length);
      return readStatus(body, from, to);
    }
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return (parsed as { kind?: string } | null)?.kind === 'Status' ? (parsed as Status) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof BrokenFrame) return undefined;
    throw error;
  }
}

function retryAfterOf(headers: IncomingHttpHeaders): number | undefined {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

/** For an answer that is not 2xx. */
export function answerError(
  access: ClusterAccess,
  request: KubeRequest,
  code: number,
  headers: IncomingHttpHeaders,
  body: Buffer,
): KubeError {
  const status = statusOf(headers['content-type'] ?? '', body);
  const server = shownServer(access.server);
  const said = status?.message || body.toString('utf8', 0, 200).split('\n')[0]?.trim() || 'no message';
  const message =
    code === 401
      ? `${server} does not accept the credentials of ${access.credentials.owner} (401); log in again, or choose another user or context`
      : code === 403
        ? `forbidden (403) at ${server}: ${said}`
        : code >= 300 && code < 400
          ? `${server} answered ${request.method} ${request.path} with a redirect (${code}); is this the address of an API server?`
          : `${request.method} ${request.path} failed with ${code}: ${said}`;
  const retryAfterMs = retryAfterOf(headers);
  return new KubeError(message, { code, ...(status ? { status } : {}), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}
