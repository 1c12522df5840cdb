/**
 * The services that people are told through. A policy names a Secret for whatever lets somebody else speak there, webhook addresses
 * included; only the controller's own configuration may name files and environment variables, which are the controller's.
 */
import * as z from 'zod';
import { type Rule, withRules } from './cel-rule.ts';
import { duration, matching, namespaceName, objectName } from './scalars.ts';
import { TemplateError } from './template/lex.ts';
import { parseNoticeTemplate } from './template/markers.ts';

/** Where a secret is; exactly one is set, and a policy has `secretRef`. */
export interface SecretSource {
  readonly secretRef?: { readonly namespace: string; readonly name: string; readonly key: string };
  readonly env?: string;
  readonly file?: string;
}

const secretRef = z
  .strictObject({
    namespace: namespaceName().describe('Its namespace.'),
    name: objectName().describe('Its name.'),
    key: matching('^[-._a-zA-Z0-9]+$', 'must be a key of a Secret').min(1).max(253).describe('The key in it.'),
  })
  .describe('A key of a Secret. The controller needs the right to get that Secret.');

const clusterSecret = z.strictObject({ secretRef }).meta({ title: 'SecretSource' });

const anySecret = withRules(
  z.strictObject({
    secretRef: secretRef.exactOptional(),
    env: z.string().min(1).max(253).exactOptional().describe('An environment variable of the controller.'),
    file: z.string().min(1).max(1024).exactOptional().describe('A file that the controller can read.'),
  }),
  [
    {
      cel: '[has(self.secretRef), has(self.env), has(self.file)].filter(x, x).size() == 1',
      message: 'give one of secretRef, env and file',
      holds: (source) => Object.keys(source).length === 1,
    },
  ],
);

/** A template of a notice. What does not parse is refused here, with line and column; the API server knows its length only. */
export const template = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .superRefine((text, context) => {
      if (context.issues.length > 0) return;
      try {
        parseNoticeTemplate(text);
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
      }
    })
    .meta({ title: 'template' });

const url = () =>
  matching('^https?://[^\\s/@?#]+([/?#]\\S*)?$', 'must be an http or https address without user and password')
    .max(2048)
    .meta({ title: 'address' });

// Their values are passwords, whatever they are called in a Secret.
const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'x-auth-token'];

const oneUrl: Rule<{ url?: string; urlFrom?: unknown }> = {
  cel: 'has(self.url) != has(self.urlFrom)',
  message: 'give either url or urlFrom',
  holds: (value) => (value.url !== undefined) !== (value.urlFrom !== undefined),
};

const loginRule: Rule<{ username?: string; password?: unknown }> = {
  cel: 'has(self.username) == has(self.password)',
  message: 'username and password belong together',
  field: 'password',
  holds: (value) => (value.username !== undefined) === (value.password !== undefined),
};

/** Type -> its block. */
export const channelBlocks = {
  Slack: 'slack',
  Teams: 'teams',
  Telegram: 'telegram',
  Discord: 'discord',
  Webhook: 'webhook',
  Pushgateway: 'pushgateway',
  Email: 'email',
  PagerDuty: 'pagerDuty',
  CloudEvents: 'cloudEvents',
} as const;

export type ChannelType = keyof typeof channelBlocks;

function channelSchema<S extends z.ZodType<SecretSource>>(secret: S, bodyFile: boolean) {
  const header = withRules(
    z.strictObject({
      name: matching("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$", 'must be the name of a header').min(1).max(128).describe('Its name.'),
      value: matching('^[^\\r\\n]*$', 'must be one line')
        .max(2048)
        .exactOptional()
        .describe('Its value, where that is no secret.'),
      valueFrom: secret.exactOptional().describe('Where its value is.'),
    }),
    [
      {
        cel: 'has(self.value) != has(self.valueFrom)',
        message: 'give either value or valueFrom',
        holds: ({ value, valueFrom }) => (value !== undefined) !== (valueFrom !== undefined),
      },
      {
        cel: `!has(self.value) || !(self.name.lowerAscii() in [${SECRET_HEADERS.map((each) => `'${each}'`).join(', ')}])`,
        message: 'this header is a password: put it into a Secret and name that in valueFrom',
        field: 'value',
        holds: ({ name, value }) => value === undefined || !SECRET_HEADERS.includes(name.toLowerCase()),
      },
    ],
  );
  const headers = z.array(header).max(16).default([]).describe('Further headers of the request.');
  const proxy = withRules(
    z.strictObject({
      url: url().describe('Its address, like http://proxy:3128.'),
      username: z.string().min(1).max(256).exactOptional().describe('For basic authentication.'),
      password: secret.exactOptional().describe('For basic authentication.'),
    }),
    [loginRule],
  );
  const tls = {
    ca: z.string().min(1).max(65_536).exactOptional().describe('Certificates in PEM that are trusted beside the usual ones.'),
    insecureSkipVerify: z
      .boolean()
      .default(false)
      .describe('Do not check the certificate of the server. Whoever stands between can then read and change what is told.'),
  };
  const http = z
    .strictObject({
      timeout: duration('100ms', '2m').default('10s').describe('Longest time for one request.'),
      proxy: proxy.exactOptional().describe('A proxy that leads to the service.'),
      ...tls,
    })
    .meta({ title: 'NotifyHttp' });

  const slack = withRules(
    z.strictObject({
      webhook: secret.exactOptional().describe('The address of an incoming webhook. It can post, but not edit.'),
      token: secret
        .exactOptional()
        .describe('The token of a bot with chat:write: messages are edited in place and answered in threads.'),
      channel: z.string().min(1).max(80).exactOptional().describe('Where to, like C0123456789. Needed with token.'),
      username: z.string().min(1).max(80).exactOptional().describe('Name that is shown.'),
      iconEmoji: z.string().min(1).max(80).exactOptional().describe('Icon that is shown, like :warning:.'),
      apiUrl: url().default('https://slack.com/api').describe('With token: the address of the API.'),
    }),
    [
      {
        cel: 'has(self.webhook) != has(self.token)',
        message: 'give either webhook or token',
        holds: ({ webhook, token }) => (webhook !== undefined) !== (token !== undefined),
      },
      {
        cel: '!has(self.token) || has(self.channel)',
        message: 'token needs channel',
        field: 'channel',
        holds: ({ token, channel }) => token === undefined || channel !== undefined,
      },
    ],
  );
  const teams = z.strictObject({ webhook: secret.describe('The address that a Workflow of Teams gives for its trigger.') });
  const telegram = z.strictObject({
    token: secret.describe('The token of the bot.'),
    chatId: matching('^(-?[0-9]+|@[A-Za-z0-9_]+)$', 'must be a number like "-1001234567890" or a name like @ops')
      .max(64)
      .describe('The chat. Groups have negative numbers; write it in quotes.'),
    topicId: z.int32().min(1).exactOptional().describe('The topic, in a group that has topics.'),
    apiUrl: url().default('https://api.telegram.org').describe('The address of the Bot API.'),
  });
  const discord = z.strictObject({
    webhook: secret.describe('The address of the webhook.'),
    username: z.string().min(1).max(80).exactOptional().describe('Name that is shown.'),
  });
  const webhook = withRules(
    z.strictObject({
      url: url().exactOptional().describe('The address, where nobody can do harm with it.'),
      urlFrom: secret.exactOptional().describe('Where the address is.'),
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH']).default('POST').describe('Method of the request.'),
      contentType: matching('^[^\\s/]+/[^\\r\\n]+$', 'must be a media type like application/json')
        .max(128)
        .default('application/json')
        .describe('What the body is. In JSON, values are escaped where they stand in quotes.'),
      headers,
      body: template(16_384).exactOptional().describe('The body. Absent: an object in JSON with everything that is known.'),
      ...(bodyFile && {
        bodyFile: z.string().min(1).max(1024).exactOptional().describe('A file with the body.'),
      }),
    }),
    [
      oneUrl,
      {
        cel: "self.method != 'GET' || !has(self.body)",
        message: 'a GET has no body',
        field: 'body',
        holds: ({ method, body }) => method !== 'GET' || body === undefined,
      },
    ],
  );
  const pushgateway = withRules(
    z.strictObject({
      url: url().describe('The address of the Pushgateway, without /metrics.'),
      job: z.string().min(1).max(128).default('drover').describe('The label job.'),
      username: z.string().min(1).max(256).exactOptional().describe('For basic authentication.'),
      password: secret.exactOptional().describe('For basic authentication.'),
      body: template(16_384).exactOptional().describe('The metrics. Absent: drover_node_phase and its time.'),
    }),
    [loginRule],
  );
  const address = () => matching('^[^\\s@<>,;"]+@[^\\s@<>,;"]+$', 'must be an address like ops@example.com').max(254);
  const email = withRules(
    z.strictObject({
      host: matching('^[^\\s/@]+$', 'must be the name of a host').min(1).max(253).describe('The mail server.'),
      port: z.int32().min(1).max(65_535).default(587).describe('Its port.'),
      security: z
        .enum(['StartTls', 'Tls', 'None'])
        .default('StartTls')
        .describe(
          'StartTls: encrypted after the greeting, or not at all sent. Tls: encrypted from the start. None: in clear text.',
        ),
      username: z.string().min(1).max(256).exactOptional().describe('To log in.'),
      password: secret.exactOptional().describe('To log in.'),
      from: address().describe('The sender.'),
      to: z.array(address()).min(1).max(20).describe('The recipients.'),
      subject: template(512).exactOptional().describe('The subject. Absent: the first line of the message.'),
      timeout: duration('100ms', '2m').default('20s').describe('Longest time for one message.'),
      ...tls,
    }),
    [
      loginRule,
      {
        cel: "!has(self.password) || self.security != 'None'",
        message: 'a password is not sent in clear text; use StartTls or Tls',
        field: 'security',
        holds: ({ password, security }) => password === undefined || security !== 'None',
      },
    ],
  );
  const pagerDuty = z.strictObject({
    routingKey: secret.describe('The integration key of Events API v2.'),
    apiUrl: url()
      .default('https://events.pagerduty.com')
      .describe('The address of the API; https://events.eu.pagerduty.com in the EU.'),
  });
  const cloudEvents = withRules(
    z.strictObject({
      url: url().exactOptional().describe('The address, where nobody can do harm with it.'),
      urlFrom: secret.exactOptional().describe('Where the address is.'),
      mode: z
        .enum(['Structured', 'Binary'])
        .default('Structured')
        .describe('Structured: one JSON object. Binary: the attributes are headers, the body is the data.'),
      source: matching('^\\S+$', 'must be a URI reference like /clusters/prod')
        .min(1)
        .max(256)
        .default('/drover')
        .describe('The attribute source.'),
      headers,
    }),
    [oneUrl],
  );

  const shape = z.strictObject({
    type: z
      .enum(Object.keys(channelBlocks) as [ChannelType, ...ChannelType[]])
      .describe('The service. The field of the same name says how it is reached.'),
    slack: slack.exactOptional().describe('For type Slack.'),
    teams: teams.exactOptional().describe('For type Teams.'),
    telegram: telegram.exactOptional().describe('For type Telegram.'),
    discord: discord.exactOptional().describe('For type Discord.'),
    webhook: webhook.exactOptional().describe('For type Webhook: any HTTP server.'),
    pushgateway: pushgateway.exactOptional().describe('For type Pushgateway: a metric for Prometheus.'),
    email: email.exactOptional().describe('For type Email.'),
    pagerDuty: pagerDuty.exactOptional().describe('For type PagerDuty: an incident, resolved when its cause has passed.'),
    cloudEvents: cloudEvents.exactOptional().describe('For type CloudEvents.'),
    http: http.prefault({}).describe('How the request is made. For all types but Email.'),
  });
  const rules = Object.entries(channelBlocks).map(
    ([type, field]): Rule<{ type: string } & { [F in (typeof channelBlocks)[ChannelType]]?: unknown }> => ({
      cel: `has(self.${field}) == (self.type == '${type}')`,
      message: `${field} is required when type is ${type}, and forbidden otherwise`,
      field,
      holds: (channel) => (channel[field] !== undefined) === (channel.type === type),
    }),
  );
  return withRules(shape, rules);
}

/** A channel of a policy: secrets are in Secrets. */
export const policyChannel = channelSchema(clusterSecret, false);
/** A channel of the controller's configuration. */
export const ownChannel = channelSchema(anySecret, true);

/** A channel of either, with its defaults. */
export type ChannelSpec = z.output<typeof policyChannel> | z.output<typeof ownChannel>;
export type HttpSpec = ChannelSpec['http'];
