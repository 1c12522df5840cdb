/** Why a request failed, as its client sees it. */
export const failureCauses = [
  /** The client's proxy knows no endpoint of the Service. */
  'NoEndpoint',
  /** Nothing listens at the endpoint: not yet, or no longer. */
  'Refused',
  /** The process ended while it worked on the request. */
  'Reset',
  /** The machine is gone: no answer at all until the client gives up. */
  'TimedOut',
  /** The pod was still warming up and took longer than the client waits. */
  'TooSlow',
] as const;

export type FailureCause = (typeof failureCauses)[number];

export type FailureCounts = Readonly<Record<FailureCause, number>>;

export function noFailures(): Record<FailureCause, number> {
  return { NoEndpoint: 0, Refused: 0, Reset: 0, TimedOut: 0, TooSlow: 0 };
}
