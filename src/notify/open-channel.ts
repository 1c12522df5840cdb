/** An entry of `notify` -> its channel, with its templates parsed and its secrets where they can be read. */
import type { NotifyEntry } from '../api/notify.ts';
import type { SecretSource } from '../api/notify-channel.ts';
import { TemplateError } from '../api/template/lex.ts';
import { parseNoticeTemplate } from '../api/template/markers.ts';
import type { Template } from '../api/template/parse.ts';
import type { Clock } from '../lib/clock.ts';
import { type Channel, type ChannelDeps, DeliveryError, shortened } from './channel.ts';
import { cloudEvents } from './channels/cloud-events.ts';
import { discord } from './channels/discord.ts';
import { email } from './channels/email.ts';
import { pagerDuty } from './channels/pager-duty.ts';
import { pushgateway } from './channels/pushgateway.ts';
import { slack } from './channels/slack.ts';
import { teams } from './channels/teams.ts';
import { telegram } from './channels/telegram.ts';
import { webhook } from './channels/webhook.ts';
import { createHttp } from './http.ts';
import type { Notice } from './notice.ts';
import type { Secrets } from './secrets.ts';
import { slackText } from './template/escape.ts';
import { render } from './template/render.ts';

export interface ChannelSetting {
  readonly clock: Clock;
  readonly secrets: Secrets;
  /** For `bodyFile`. */
  readonly readFile: (path: string) => Promise<string>;
  readonly userAgent: string;
}

const MAX_QUOTE = 200;

/** Its deliveries throw nothing but DeliveryErrors. */
export function openChannel(entry: NotifyEntry, { clock, secrets, readFile, userAgent }: ChannelSetting): Channel {
  /** What was read for the delivery under way. */
  const used = new Map<string, { readonly source: SecretSource; readonly value: string }>();
  const secret = async (source: SecretSource): Promise<string> => {
    const value = await secrets.read(source);
    used.set(JSON.stringify(source), { source, value });
    return value;
  };
  const http = createHttp({ spec: entry.channel.http, clock, userAgent, secret });
  const messages = new Map(
    Object.entries(entry.messages ?? {}).map(([topic, text]) => [topic, parseNoticeTemplate(text)] as const),
  );
  const message = entry.message === undefined ? null : parseNoticeTemplate(entry.message);
  const deps: ChannelDeps = {
    http: http.send,
    clock,
    secret,
    text(notice, escape = 'None') {
      const template = messages.get(notice.topic) ?? (notice.topic === 'Run' ? null : message);
      if (template) return render(template, notice.markers, escape);
      return escape === 'Slack' ? slackText(notice.text) : notice.text;
    },
    quote: (answer) => quoted(secrets.redact(answer)),
  };
  const channel = channelOf(entry, deps, readFile);

  const deliver = async (notice: Notice, earlier: string | null): Promise<string | null> => {
    used.clear();
    try {
      return await channel.deliver(notice, earlier);
    } catch (error) {
      throw deliveryError(error, secrets);
    }
  };
  /** A Secret that was changed a moment ago, when what it was is no longer taken. */
  const isNew = async (): Promise<boolean> => {
    const before = [...used.values()];
    for (const { source } of before) secrets.forget(source);
    const now = await Promise.all(before.map(({ source }) => secrets.read(source)));
    return now.some((value, index) => value !== before[index]?.value);
  };

  return {
    edits: channel.edits,
    resolves: channel.resolves,
    async deliver(notice, earlier) {
      try {
        return await deliver(notice, earlier);
      } catch (error) {
        if (!(error instanceof DeliveryError) || !error.unauthorized || !(await isNew())) throw error;
        return deliver(notice, earlier);
      }
    },
    async close() {
      await channel.close();
      await http.close();
    },
  };
}

function deliveryError(error: unknown, secrets: Secrets): DeliveryError {
  if (error instanceof DeliveryError) {
    const { again, retryAfterMs, unauthorized } = error;
    return new DeliveryError(secrets.redact(error.message), { again, retryAfterMs, unauthorized });
  }
  if (error instanceof TemplateError) return new DeliveryError(`template: ${error.message}`, { again: false });
  // A defect, whose words nobody has looked through for secrets.
  return new DeliveryError(`unexpected ${error instanceof Error ? error.name : 'failure'}`, { again: false });
}

/** One line of an answer. What looks like a token is left out, whoever's it is. */
function quoted(answer: string): string {
  const line = answer
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/[\w+/=-]{24,}/g, '[...]')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return shortened(line, MAX_QUOTE);
}

function channelOf(entry: NotifyEntry, deps: ChannelDeps, readFile: ChannelSetting['readFile']): Channel {
  const { channel } = entry;
  const parsed = (text: string | undefined): Template | null => (text === undefined ? null : parseNoticeTemplate(text));
  if (channel.slack) return slack(channel.slack, deps);
  if (channel.teams) return teams(channel.teams, deps);
  if (channel.telegram) return telegram(channel.telegram, deps);
  if (channel.discord) return discord(channel.discord, deps);
  if (channel.webhook) {
    const spec = channel.webhook;
    const file = 'bodyFile' in spec && typeof spec.bodyFile === 'string' ? spec.bodyFile : undefined;
    if (file === undefined) return webhook(spec, parsed(spec.body), deps);
    return fromFile(file, readFile, (body) => webhook(spec, body, deps));
  }
  if (channel.pushgateway) return pushgateway(channel.pushgateway, parsed(channel.pushgateway.body), deps);
  if (channel.email) return email(channel.email, parsed(channel.email.subject), deps);
  if (channel.pagerDuty) return pagerDuty(channel.pagerDuty, deps);
  if (channel.cloudEvents) return cloudEvents(channel.cloudEvents, deps);
  throw new TypeError(`channel ${entry.name} has no block`); // the schema has seen to it
}

/** Read with each delivery: a ConfigMap that is mounted changes while the controller runs. */
function fromFile(file: string, readFile: ChannelSetting['readFile'], open: (body: Template) => Channel): Channel {
  return {
    edits: false,
    resolves: false,
    async deliver(notice, earlier) {
      let text: string;
      try {
        text = await readFile(file);
      } catch {
        throw new DeliveryError(`bodyFile ${file} cannot be read`, { again: true });
      }
      try {
        return await open(parseNoticeTemplate(text)).deliver(notice, earlier);
      } catch (error) {
        if (error instanceof TemplateError) throw new DeliveryError(`${file}: ${error.message}`, { again: false });
        throw error;
      }
    },
    close: async () => {},
  };
}
