// AuthorizationPolicy: who may do what with a workload.
import { z } from 'zod';
import { about, setFields } from './fields.ts';
import { inCel } from './rules.ts';
import { hasOneScope, oneScope, policyScope } from './selectors.ts';

const texts = z.array(z.string()).optional();
const serviceAccounts = z.array(z.string().max(320)).max(16).optional();

const source = z
  .strictObject({
    principals: texts,
    notPrincipals: texts,
    requestPrincipals: texts,
    notRequestPrincipals: texts,
    namespaces: texts,
    notNamespaces: texts,
    serviceAccounts,
    notServiceAccounts: serviceAccounts,
    trustDomains: texts,
    notTrustDomains: texts,
    ipBlocks: texts,
    notIpBlocks: texts,
    remoteIpBlocks: texts,
    notRemoteIpBlocks: texts,
  })
  .refine(
    inCel(
      '!(has(self.serviceAccounts) || has(self.notServiceAccounts)) || !(has(self.principals) || has(self.notPrincipals) || has(self.namespaces) || has(self.notNamespaces))',
      (value: object) =>
        setFields(value, ['serviceAccounts', 'notServiceAccounts']).length === 0 ||
        setFields(value, ['principals', 'notPrincipals', 'namespaces', 'notNamespaces']).length === 0,
    ),
    about("can't name service accounts beside principals or namespaces"),
  );

const operation = z.strictObject({
  hosts: texts,
  notHosts: texts,
  ports: texts,
  notPorts: texts,
  methods: texts,
  notMethods: texts,
  paths: texts,
  notPaths: texts,
});

const condition = z.strictObject({ key: z.string(), values: texts, notValues: texts });

const rule = z.strictObject({
  from: z
    .array(z.strictObject({ source: source.optional() }))
    .max(512)
    .optional(),
  to: z.array(z.strictObject({ operation: operation.optional() })).optional(),
  when: z.array(condition).optional(),
});

export const authorizationPolicySpec = z
  .strictObject({
    ...policyScope,
    action: z.enum(['ALLOW', 'DENY', 'AUDIT', 'CUSTOM']).optional(),
    provider: z.strictObject({ name: z.string().optional() }).optional(),
    rules: z.array(rule).max(512).optional(),
  })
  .refine(hasOneScope, oneScope);

export type AuthorizationPolicySpec = Readonly<z.infer<typeof authorizationPolicySpec>>;
export type AuthorizationRule = z.infer<typeof rule>;
export type AuthorizationSource = z.infer<typeof source>;
export type AuthorizationOperation = z.infer<typeof operation>;
export type AuthorizationCondition = z.infer<typeof condition>;
