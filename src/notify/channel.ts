/** What every channel does, and how it says that it could not. */
import type { Clock, Millis } from '../lib/clock.ts';
import type { SecretSource } from '../api/notify-channel.ts';
import type { SendHttp } from './http.ts';
import type { Notice } from './notice.ts';
import type { Escape } from './template/escape.ts';

export interface Channel {
  /** Can replace what it has said. */
  readonly edits: boolean;
  /** Wants to know of every end, also of those that it is not asked to tell: an open incident is resolved. */
  readonly resolves: boolean;
  /**
   * @param earlier the thread's message, as the service named it; null: there is none
   * @returns how the service names the thread's message now; null where it has no names
   * @throws DeliveryError
   */
  deliver(notice: Notice, earlier: string | null): Promise<string | null>;
  close(): Promise<void>;
}

export interface ChannelDeps {
  readonly http: SendHttp;
  readonly clock: Clock;
  /** @throws DeliveryError naming the Secret, never its value */
  secret(source: SecretSource): Promise<string>;
  /** The message by the entry's templates, or the notice's own text. */
  text(notice: Notice, escape?: Escape): string;
  /** Words of a service's answer, without what is secret. */
  quote(answer: string): string;
}

/** Nothing was delivered. Its message holds no secret: it goes to logs, events and metrics. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  /** Another try may succeed. */
  readonly again: boolean;
  readonly retryAfterMs: Millis | undefined;
  /** The service does not know who speaks: what was read of a Secret may be old. */
  readonly unauthorized: boolean;

  constructor(message: string, facts: { again: boolean; retryAfterMs?: Millis | undefined; unauthorized?: boolean }) {
    super(message);
    this.again = facts.again;
    this.retryAfterMs = facts.retryAfterMs;
    this.unauthorized = facts.unauthorized ?? false;
  }
}

/** At most `max` characters. */
export function shortened(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}\u2026`;
}
