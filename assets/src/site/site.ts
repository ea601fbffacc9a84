/** On every page. Nothing depends on it: each of these makes something easier that works without it. */
import { offerCopies } from "./copy";
import { showLocalTimes } from "./local_time";
import { offerToShowPasswords } from "./password";
import { bringSelectAllToLife } from "./select_all";
import { showWhereOneIs } from "./side_nav";

offerCopies();
offerToShowPasswords();
showLocalTimes(document);
bringSelectAllToLife();
showWhereOneIs();
