/** Gates: what must be so before a policy may start a node. Each kind is a list, and every entry of every list must be open. */
import * as z from 'zod';
import { withRules } from './cel-rule.ts';
import { compileGoRegexp } from './go-regexp.ts';
import { duration, matching, namespaceName } from './scalars.ts';
import { labelSelector } from './selector.ts';

const MAX_ENTRIES = 8;

const gateName = z
  .string()
  .min(1)
  .max(63)
  .exactOptional()
  .describe('What people read in status and events; absent: made from its place.');

const goRegexp = z
  .string()
  .min(1)
  .max(1024)
  .superRefine((pattern, context) => {
    try {
      compileGoRegexp(pattern);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: 'custom', message: `must be a regular expression as Go reads it: ${error.message}` });
    }
  })
  .meta({ title: 'Go regexp' });

// Userinfo would end up in messages; a secretRef does not.
const baseUrl = matching(
  '^https?://[^/?#@\\s]+(/[^?#@\\s]*)?$',
  'must be like https://prometheus.monitoring:9090, without user, query or fragment',
).max(2048);
const anyUrl = matching(
  '^https?://[^/?#@\\s]+(/[^?#@\\s]*)?(\\?[^#\\s]*)?$',
  'must be like https://status.example.com/ready?pool=web, without user or fragment',
).max(2048);

const objectKey = (what: string, key: string) =>
  z.strictObject({
    name: matching('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', 'must be a name of lower-case letters, digits, - and .')
      .max(253)
      .describe(`Name of the ${what}, in the namespace of the controller.`),
    key: matching('^[-._a-zA-Z0-9]+$', 'must be a key of letters, digits, -, _ and .')
      .max(253)
      .default(key)
      .describe('Key in it.'),
  });

const auth = withRules(
  z.strictObject({
    bearer: objectKey('Secret', 'token').exactOptional().describe('A bearer token.'),
    basic: z
      .strictObject({
        username: objectKey('Secret', 'username').describe('Where the user name is.'),
        password: objectKey('Secret', 'password').describe('Where the password is.'),
      })
      .exactOptional()
      .describe('A user name and a password.'),
  }),
  [
    {
      cel: 'has(self.bearer) != has(self.basic)',
      message: 'give either bearer or basic',
      holds: (value) => (value.bearer !== undefined) !== (value.basic !== undefined),
    },
  ],
);

const tls = withRules(
  z.strictObject({
    configMap: objectKey('ConfigMap', 'ca.crt')
      .exactOptional()
      .describe('Where the certificates of the authorities are, as PEM.'),
    secret: objectKey('Secret', 'ca.crt').exactOptional().describe('The same, in a Secret.'),
    serverName: z
      .string()
      .min(1)
      .max(253)
      .exactOptional()
      .describe('The name that its certificate must be for; absent: that of the url.'),
    insecureSkipVerify: z.boolean().default(false).describe('Take any certificate: whoever is in between can open the gate.'),
  }),
  [
    {
      cel: '!(has(self.configMap) && has(self.secret))',
      message: 'give either configMap or secret',
      holds: (value) => value.configMap === undefined || value.secret === undefined,
    },
    {
      cel: '!(self.insecureSkipVerify && (has(self.configMap) || has(self.secret)))',
      message: 'without verification an authority means nothing: leave out one of the two',
      field: 'insecureSkipVerify',
      holds: (value) => !value.insecureSkipVerify || (value.configMap === undefined && value.secret === undefined),
    },
  ],
);

const asking = {
  name: gateName,
  interval: duration('5s', '24h').default('1m').describe('How often it is asked, while a node would start but for it.'),
  timeout: duration('1s', '5m').default('10s').describe('How long an answer may take. None in time holds back.'),
  auth: auth.exactOptional().describe('Credentials; absent: none are sent.'),
  tls: tls.exactOptional().describe('How its certificate is checked; absent: against the authorities that Node.js knows.'),
};

const matcher = z
  .strictObject({
    label: matching('^[a-zA-Z_][a-zA-Z0-9_]*$', 'must be a label like severity').max(253).describe('The label.'),
    operator: z.enum(['=', '!=', '=~', '!~']).default('=').describe('As in PromQL; =~ and !~ must match the whole value.'),
    value: z.string().max(1024).describe('The value, or the regular expression.'),
  })
  .superRefine(({ operator, value }, context) => {
    if (operator === '=' || operator === '!=') return;
    try {
      compileGoRegexp(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({
        code: 'custom',
        path: ['value'],
        message: `must be a regular expression as Go reads it: ${error.message}`,
      });
    }
  });

const choosing = {
  ignore: goRegexp.exactOptional().describe('Alerts whose name matches it anywhere do not hold back.'),
  only: goRegexp.exactOptional().describe('Only alerts whose name matches it anywhere hold back.'),
  matchers: z.array(matcher).max(16).prefault([]).describe('Only alerts whose labels match all of these hold back.'),
};
const eitherIgnoreOrOnly = {
  cel: '!(has(self.ignore) && has(self.only))',
  message: 'give either ignore or only',
  holds: (value: { ignore?: string; only?: string }) => value.ignore === undefined || value.only === undefined,
};

const prometheus = withRules(
  z.strictObject({
    url: baseUrl.describe('Where the Prometheus, or what answers like one, is.'),
    alerts: withRules(
      z.strictObject({
        ...choosing,
        pending: z.boolean().default(false).describe('Alerts that are pending hold back, too.'),
      }),
      [eitherIgnoreOrOnly],
    )
      .exactOptional()
      .describe('Holds back while alerts fire.'),
    query: z.string().min(1).max(8192).exactOptional().describe('Instead of alerts: holds back by the result of this PromQL.'),
    holdWhile: z
      .enum(['NonEmpty', 'NonZero'])
      .exactOptional()
      .describe(
        'With query. NonEmpty (the default): any series in the result holds back, as in an alerting rule. NonZero: only one whose value is not 0. A scalar holds back while it is not 0.',
      ),
    ...asking,
  }),
  [
    {
      cel: 'has(self.alerts) != has(self.query)',
      message: 'give either alerts or query',
      holds: (value) => (value.alerts !== undefined) !== (value.query !== undefined),
    },
    {
      cel: '!has(self.holdWhile) || has(self.query)',
      message: 'holdWhile belongs to query',
      field: 'holdWhile',
      holds: (value) => value.holdWhile === undefined || value.query !== undefined,
    },
  ],
);

const alertmanager = withRules(z.strictObject({ url: baseUrl.describe('Where the Alertmanager is.'), ...choosing, ...asking }), [
  eitherIgnoreOrOnly,
]);

const http = z.strictObject({
  url: anyUrl.describe('What is asked for, with GET. Redirects are not followed, and hold back.'),
  statuses: z
    .array(z.int32().min(100).max(599))
    .min(1)
    .max(16)
    .exactOptional()
    .describe('The statuses that open it; absent: 200 to 299.'),
  json: z
    .strictObject({
      field: matching('^[^.\\s]+(\\.[^.\\s]+)*$', 'must be a field like status.ready')
        .max(256)
        .describe('A field of the answer, like status.ready; a number chooses an entry of a list.'),
      equals: z.string().max(1024).describe('What it must be, written as text: true, 3, ok.'),
    })
    .exactOptional()
    .describe('Also demands this of the answer.'),
  ...asking,
});

const isEmpty =
  'has(self.podSelector.matchLabels) && size(self.podSelector.matchLabels) > 0 || has(self.podSelector.matchExpressions) && size(self.podSelector.matchExpressions) > 0';

const pods = withRules(
  z.strictObject({
    name: gateName,
    podSelector: labelSelector.describe('The pods. Not empty: that would mean every pod.'),
    namespaces: z
      .array(namespaceName())
      .min(1)
      .max(64)
      .exactOptional()
      .describe('Only pods of these namespaces; absent: of all.'),
    scope: z
      .enum(['Node', 'Cluster'])
      .default('Node')
      .describe('Node: such a pod holds back the node that it is on. Cluster: it holds back every node of the policy.'),
    runningOnly: z.boolean().default(false).describe('Only Running pods hold back. Otherwise all but those that have ended do.'),
  }),
  [
    {
      cel: isEmpty,
      message: 'an empty podSelector would mean every pod',
      field: 'podSelector',
      holds: ({ podSelector }) => Object.keys(podSelector.matchLabels).length > 0 || podSelector.matchExpressions.length > 0,
    },
  ],
);

const settled = z.strictObject({
  for: duration('0s', '24h').describe(
    'How long all must have been well: the nodes of the policy that no maintenance has in hand Ready, all replicas of Deployments, StatefulSets and DaemonSets available, and no pod Pending for longer than this.',
  ),
  namespaces: z
    .array(namespaceName())
    .min(1)
    .max(64)
    .exactOptional()
    .describe('Only workloads and pods of these namespaces are looked at; absent: of all.'),
  interval: duration('5s', '1h')
    .default('15s')
    .describe('How often the workloads are read, while a node would start but for it.'),
});

const approval = z.strictObject({
  validFor: duration('1m', '8760h').default('24h').describe('How long after `drover approve` a start is allowed.'),
});

const list = <S extends z.ZodType>(entry: S, description: string) =>
  z.array(entry).max(MAX_ENTRIES).prefault([]).describe(description);

export const gatesSpec = z.strictObject({
  pods: list(pods, 'No start while such pods exist.'),
  prometheus: list(prometheus, 'No start while alerts fire, or a query has a result.'),
  alertmanager: list(alertmanager, 'No start while alerts are active and neither silenced nor inhibited.'),
  http: list(http, 'No start unless this URL answers as it should.'),
  settled: settled.exactOptional().describe('No start before what was changed last has come to rest.'),
  approval: approval.exactOptional().describe('No start before a person has said so with `drover approve`.'),
});

/** After so many failures it starts nothing more. */
export const breaker = z.strictObject({
  failures: z.int32().min(1).max(100).describe('How many maintenances must have failed.'),
  within: duration('1m', '168h').default('24h').describe('Within which time.'),
});
