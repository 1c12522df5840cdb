import { parse } from 'yaml';
import { type Adoption, draftPolicy, graceOf, placeOf, present, rowsOf, selectionToDo, selectorOf, spanOf } from './adoption.ts';
import { aksFlags } from './aks-flags.ts';
import { secretRef, secretToDo } from './notify-secret.ts';
import { isOn, last, type Settings, settingsOf, type Workload } from './workload.ts';

const SECRET = 'aks-node-termination-handler-notify';

const environment: Readonly<Record<string, string>> = {
  config: 'CONFIG',
  node: 'MY_NODE_NAME',
  'telegram.token': 'TELEGRAM_TOKEN',
  'telegram.chatID': 'TELEGRAM_CHATID',
  'webhook.url': 'WEBHOOK_URL',
  'webhook.template': 'WEBHOOK_TEMPLATE',
  'webhook.template-file': 'WEBHOOK_TEMPLATE_FILE',
  'webhook.http-proxy': 'WEBHOOK_HTTP_PROXY',
};

export function adoptAks(workload: Workload): Adoption {
  const settings = withFile(
    settingsOf(workload, aksFlags, (flag) => environment[flag] ?? ''),
    workload,
  );
  const toDo = [...selectionToDo(workload)];
  const kinds = [
    'SpotInterruption',
    'Terminate',
    'Redeploy',
    'Reboot',
    ...(isOn(settings, 'drainOnFreezeEvent') ? ['Freeze'] : []),
  ];
  const spec = present({
    nodeSelector: selectorOf(workload),
    priority: 100,
    paused: isOn(settings, 'dryRun') ? true : null,
    reasons: [{ type: 'Signal', signal: { kinds, sources: ['azure'] } }],
    drain: present({
      barePods: 'Evict', // it drains with force
      ...graceOf(last(settings, 'podGracePeriodSeconds')),
      ladder: isOn(settings, 'disableEviction') ? [{ after: '0s', do: 'Delete' }] : null,
    }),
    notify: notifyOf(settings, workload, toDo),
  });
  const endpoint = last(settings, 'endpoint');
  const config = present({
    cloud: 'azure',
    metadataUrl: endpoint === undefined ? null : (/^https?:\/\/[^/?]+/.exec(endpoint)?.[0] ?? null),
    azureResource: last(settings, 'resource.name') || null,
    pollInterval: spanOf(last(settings, 'period')),
    sourceTimeout: spanOf(last(settings, 'request.timeout')),
    metricsAddress: last(settings, 'web.address'),
    logLevel: last(settings, 'log.level')?.toLowerCase(),
    logFormat: isOn(settings, 'log.pretty') ? 'text' : null,
  });
  toDo.push('remove aks-node-termination-handler before the policy is applied: both would drain the same nodes');
  return {
    tool: 'aks-node-termination-handler',
    title: workload.title,
    policies: [draftPolicy('azure-scheduled-events', spec)],
    agent: { config, ...placeOf(workload) },
    rows: rowsOf(settings, aksFlags),
    toDo,
  };
}

/** What its YAML file says goes before its flags; the keys there are the flags in lower case, without dots and dashes. */
function withFile(settings: Settings, { files }: Workload): Settings {
  const path = last(settings, 'config');
  const text = path === undefined ? undefined : files.get(path.split('/').at(-1) ?? '');
  if (text === undefined) return settings;
  const read: unknown = parse(text);
  if (typeof read !== 'object' || read === null) return settings;
  const of = new Map(settings.of);
  const unknown = [...settings.unknown];
  const flags = new Map(Object.keys(aksFlags).map((flag) => [flag.toLowerCase().replaceAll(/[.-]/g, ''), flag]));
  for (const [key, value] of Object.entries(read)) {
    const flag = flags.get(key.toLowerCase());
    if (!flag) unknown.push(key);
    else if (typeof value !== 'object') of.set(flag, [String(value)]);
  }
  return { ...settings, of, unknown };
}

function notifyOf(settings: Settings, { files }: Workload, toDo: string[]): readonly object[] | null {
  const has = (flag: string) => Boolean(last(settings, flag)) || settings.hidden.has(flag);
  const entries: object[] = [];
  const message = last(settings, 'alert.message');
  if (has('telegram.token')) {
    const chatId = last(settings, 'telegram.chatID');
    if (chatId === undefined) toDo.push('the chat of Telegram comes from a Secret: write its number into spec.notify');
    toDo.push(secretToDo(SECRET, 'token', 'the token of the bot'));
    const telegram = { token: secretRef(SECRET, 'token'), chatId: chatId ?? '0' };
    entries.push(present({ name: 'telegram', channel: { type: 'Telegram', telegram }, on: ['Started'], message }));
  }
  if (has('webhook.url')) {
    const file = last(settings, 'webhook.template-file');
    const body = last(settings, 'webhook.template') || (file === undefined ? undefined : files.get(file.split('/').at(-1) ?? ''));
    if (file !== undefined && body === undefined) toDo.push(`put the text of ${file} into spec.notify[].channel.webhook.body`);
    if (has('webhook.http-proxy'))
      toDo.push('write the proxy into spec.notify[].channel.http.proxy, with its password in a Secret');
    toDo.push(secretToDo(SECRET, 'url', 'the address of the webhook'));
    const webhook = present({
      urlFrom: secretRef(SECRET, 'url'),
      method: last(settings, 'webhook.method'),
      contentType: last(settings, 'webhook.contentType'),
      body,
    });
    const timeout = spanOf(last(settings, 'webhook.timeout'));
    const channel = present({ type: 'Webhook', webhook, http: timeout === null ? null : { timeout } });
    const retries = last(settings, 'webhook.retries');
    entries.push(present({ name: 'webhook', channel, on: ['Started'], retries: retries === undefined ? null : Number(retries) }));
  }
  return entries.length > 0 ? entries : null;
}
