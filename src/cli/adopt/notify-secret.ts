/** Addresses and tokens of notifications: they go into a Secret that a person creates, and are never printed. */
export const NAMESPACE = 'drover';

export const secretRef = (name: string, key: string) => ({ secretRef: { namespace: NAMESPACE, name, key } });

/** The command that makes the Secret; the value is read from standard input, so that it stays out of the shell's history. */
export const secretToDo = (name: string, key: string, what: string): string =>
  `put ${what} into a Secret: kubectl -n ${NAMESPACE} create secret generic ${name} --from-file=${key}=/dev/stdin`;

const shoutrrr: Readonly<
  Record<string, { readonly type: string; readonly field: string; readonly key: string; readonly what: string }>
> = {
  slack: { type: 'Slack', field: 'slack', key: 'webhook', what: 'the webhook address (https://hooks.slack.com/services/A/B/C)' },
  teams: { type: 'Teams', field: 'teams', key: 'webhook', what: 'the address of a Workflow: connector addresses are retired' },
  discord: {
    type: 'Discord',
    field: 'discord',
    key: 'webhook',
    what: 'the webhook address (https://discord.com/api/webhooks/ID/TOKEN)',
  },
};

export interface Channel {
  readonly channel: Readonly<Record<string, unknown>>;
  readonly toDo: readonly string[];
}

/** A notification address of shoutrrr, as kured has it; null for a service that Drover does not speak. */
export function channelOfShoutrrr(address: string, secret: string): Channel | null {
  const scheme = /^([a-z+]+):\/\//i.exec(address)?.[1]?.toLowerCase() ?? '';
  const plain = shoutrrr[scheme];
  if (plain) {
    const { type, field, key, what } = plain;
    return { channel: { type, [field]: { webhook: secretRef(secret, key) } }, toDo: [secretToDo(secret, key, what)] };
  }
  if (scheme === 'telegram') {
    const chat = /[?&](?:chats|channels)=([^&]+)/.exec(address)?.[1]?.split(',')[0] ?? '0';
    const telegram = { token: secretRef(secret, 'token'), chatId: decodeURIComponent(chat) };
    return { channel: { type: 'Telegram', telegram }, toDo: [secretToDo(secret, 'token', 'the token of the bot')] };
  }
  if (scheme.startsWith('generic') || scheme === 'https' || scheme === 'http') {
    const webhook = { urlFrom: secretRef(secret, 'url') };
    return {
      channel: { type: 'Webhook', webhook },
      toDo: [secretToDo(secret, 'url', 'the address of the webhook, as https://…')],
    };
  }
  return null;
}
