import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/components.css';
import './styles/charts.css';
import './styles/rules.css';
import './styles/table.css';
import './styles/pages.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { followAddress } from './router/router.ts';
import { beginSession } from './state/app-state.ts';

let tokenInAddress: string | null = null;
let isStarted = false;
followAddress((token) => {
  if (isStarted) beginSession(token);
  else tokenInAddress = token;
});
isStarted = true;
beginSession(tokenInAddress);

const root = document.querySelector('#app');
if (root !== null) render(<App />, root);
