/** How to reach one cluster and as whom. `kubeconfig.ts` builds it; `request.ts` uses it. */

/** What is shown to the API server: a bearer token, a client certificate (PEM), both, or nothing. Never logged. */
export interface Credential {
  readonly token?: string;
  readonly certificate?: string;
  readonly key?: string;
}

export interface CredentialSource {
  /** Whose credentials, for messages: `user "admin" of /home/a/.kube/config`. Holds no secret. */
  readonly owner: string;
  /** Asked before every request; cached inside. @throws Error with one line for the user. */
  current(): Promise<Credential>;
  /** After a 401: drops what is cached. True when the next `current()` may answer with something else than `rejected`. */
  renew(rejected: Credential): Promise<boolean>;
}

export interface ClusterAccess {
  /** "https://host:6443", maybe with a path ("https://rancher/k8s/clusters/c-1"). */
  readonly server: string;
  readonly tls: {
    /** PEM; absent = the roots that Node knows. */
    readonly authority?: string;
    /** Where the authority came from, for messages: "certificate-authority-data of cluster prod". */
    readonly authoritySource: string;
    readonly insecure: boolean;
    /** Name to ask for and to verify instead of the host of `server`. */
    readonly serverName?: string;
  };
  readonly credentials: CredentialSource;
  /** "http://proxy:3128", already decided against NO_PROXY; may hold a password, so it is never shown whole. */
  readonly proxy?: string;
  readonly impersonate?: Impersonation;
  /** Name of the kubeconfig context; absent in a pod. */
  readonly context?: string;
  /** Namespace of the context, "default" when it names none. */
  readonly namespace: string;
}

export interface Impersonation {
  readonly user: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Credentials that never change. */
export function fixedCredential(owner: string, credential: Credential): CredentialSource {
  return { owner, current: () => Promise.resolve(credential), renew: () => Promise.resolve(false) };
}

/** Access without credentials, for an API server on this machine (`kubectl proxy`, the simulated cluster). */
export function anonymousAccess(server: string): ClusterAccess {
  return {
    server,
    tls: { authoritySource: 'the roots of this machine', insecure: false },
    credentials: fixedCredential('nobody (anonymous)', {}),
    namespace: 'default',
  };
}

/** The server without a user or password in it: what messages may show. */
export function shownServer(server: string): string {
  const url = new URL(server);
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
}
