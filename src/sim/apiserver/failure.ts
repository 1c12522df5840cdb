/** What the API server refuses with: a metav1.Status. */
export interface FailureDetails {
  readonly name?: string;
  readonly group?: string;
  /** The plural, as upstream: "pods". */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  readonly retryAfterSeconds?: number;
}

/** Thrown by every write that is refused; becomes the answer's body. `reason` may be empty (the 500 of two budgets has none). */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: number;
  readonly reason: string;
  readonly details: FailureDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: FailureDetails) {
    // An answer, not a defect: where it was made is in the reason. Walking the stack takes longer than all the rest of a refused eviction,
    // and a drain that meets its budgets is refused once for every pod that it moves.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}
