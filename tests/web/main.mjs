import { main } from './harness.mjs';
import './people.mjs';
import './hostile.mjs';
import './pages.mjs';
import './factor.mjs';
import './accounts.mjs';
import './work.mjs';
import './keys.mjs';

await main(process.argv[2], process.argv[3]);
