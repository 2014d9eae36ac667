// Preloaded into a run of tests: takes the rule away whose number in the list HEDDLE_RULE_OFF holds, in memory.
import { registerHooks } from 'node:module';
import { switchedOffRules } from './switched-off-rules.ts';

const rule = switchedOffRules[Number(process.env['HEDDLE_RULE_OFF'])];

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    if (rule === undefined || !url.endsWith(`/packages/proxy/src/${rule.file}`)) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString();
    const parts = source.split(rule.from);
    if (parts.length !== 2) throw new Error(`${rule.file} holds ${parts.length - 1} times: ${rule.from}`);
    return { ...loaded, source: parts.join(rule.to) };
  },
});
