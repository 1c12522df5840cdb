/** The drain block as a person writes it, every field present: what is drawn is what is run. */
export interface DrainSpecInput {
  readonly handover: 'Never' | 'WhenNeeded' | 'Always';
  readonly handoverTimeout: string;
  readonly unlist: boolean;
  readonly emptyDir: 'Evict' | 'Protect';
  readonly barePods: 'Evict' | 'Protect';
  readonly daemonSets: 'Skip' | 'Evict';
  readonly deadline?: string;
  readonly ladder: readonly {
    readonly after: string;
    readonly do: 'TellOwner' | 'Handover' | 'ShortenGrace' | 'Delete';
    readonly graceSeconds?: number;
  }[];
  readonly stepAside: string;
  readonly attempts: number;
  readonly retryAfter: string;
  readonly emptyFor: string;
  readonly settle: { readonly enabled: boolean; readonly timeout: string };
  readonly excludeFromLoadBalancers: boolean;
}
