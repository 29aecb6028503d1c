"""What notices say, in English.

Law: short sentences, no link, no name of a patient; who reads it knows what to do next.
"""

from types import MappingProxyType

from relay.core.circle import Reader
from relay.core.notice import NoticeType
from relay.core.noticewords import Event, NoticeWords, Story, Then, Topic

_STORIES = {
    Topic.PASSWORD: Story(
        "{provider} refuses the password of the mailbox. It worked before, so it was probably changed.",
        "Log in to the mailbox in its webmail. If that fails, set a new password there.",
        Then.PASSWORD,
    ),
    Topic.NEVER_WORKED: Story(
        "{provider} refuses the password of the mailbox. As it is set here, it has never worked: it may have a slip.",
        "Log in to the mailbox in its webmail with the very same password, to see whether it is right. If it is, it "
        "may have been typed wrong here: it has to be read out to support once more.",
        Then.PASSWORD,
    ),
    Topic.EXPIRED_BY_PROVIDER: Story(
        "{provider} has made the password expire, as it does when many mails are sent in a short time. Nobody has "
        "stolen it, and nobody has done anything wrong.",
        "Log in to the mailbox in its webmail. It asks for a new password: choose one that was never used before.",
        Then.PASSWORD,
    ),
    Topic.METHOD: Story(
        "{provider} does not accept the normal password any more. It wants a password made for programs, or a sign-in "
        "in the browser.",
        "Log in to the mailbox in its webmail and make an app password in its security settings.",
        Then.PASSWORD,
    ),
    Topic.BLOCKED: Story(
        "{provider} has blocked the mailbox.",
        "Log in to the mailbox in its webmail and do what it asks for. If it cannot be unblocked there, call the "
        "customer service of {provider}.",
        Then.FIXED,
    ),
    Topic.SENDER: Story(
        "{provider} does not let this mailbox send as {account}.",
        "Authorise the address {account} as a sender in the settings of the mailbox.",
        Then.FIXED,
    ),
    Topic.FULL: Story(
        "The mailbox is full, so {provider} lets it send nothing.",
        "Empty the folders Sent and Bin of the mailbox in its webmail.",
        Then.FIXED,
    ),
    Topic.POLICY: Story(
        "Mail servers of several recipients refuse the mails of this sender because of a rule (DMARC, SPF and the "
        "like): the records of its domain do not fit its mailbox.",
        "Have the DNS records of the sender's domain checked by whoever manages it.",
        Then.FIXED,
    ),
    Topic.SAME_REFUSAL: Story(
        "{provider} has refused mails for different recipients in the same words: it is about the mailbox, not about "
        "the recipients. So the mails are held here instead of being returned.",
        "Log in to the mailbox in its webmail and look for a message of {provider}.",
        Then.FIXED,
    ),
    Topic.QUOTA: Story(
        "{provider} says that the mailbox has sent as many mails as it may in a day.",
        "Nothing has to be done. Send no further batch today.",
        Then.WAIT,
    ),
    Topic.SPAM: Story(
        "{provider} has taken several mails of this mailbox for spam and refused them. They were returned to their "
        "sender; to protect the mailbox the others wait.",
        "Send what is urgent another way, and no batch for now.",
        Then.FIXED,
    ),
    Topic.NO_PASSWORD: Story(
        "No password that can be used is known here for this mailbox.",
        "Find out the password of the mailbox.",
        Then.PASSWORD,
    ),
    Topic.NO_ACCOUNT: Story(
        "Mail waits for a sender that is not in the routing any more.",
        "Put the account back into the routing, or cancel its mail.",
        Then.ROUTING,
    ),
    Topic.PAUSED: Story(
        "The mailbox was paused by hand, and still is.",
        "See whether the reason for the pause is still there.",
        Then.RESUME,
    ),
    Topic.PERMISSION: Story(
        "The permission with which mail is sent from this mailbox has ended: {provider} wants its owner to sign in "
        "with a browser.",
        "Sign in to the mailbox with a browser, do what {provider} asks for, and permit sending again.",
        Then.CONNECT,
    ),
    Topic.NEVER_CONNECTED: Story(
        "The mailbox is not connected yet: {provider} wants its owner to sign in with a browser and permit sending.",
        "Sign in to the mailbox with a browser, do what {provider} asks for, and permit sending.",
        Then.CONNECT,
    ),
    Topic.SHUT_OUT: Story(
        "{provider}, or the organisation that the mailbox belongs to, keeps its owner out.",
        "Have the owner let in by {provider} or by the admin of the organisation.",
        Then.CONNECT,
    ),
    Topic.OWN_CLIENT: Story(
        "{provider} does not take the identity (OAuth2 client) with which this service signs in.",
        "Correct `oauth:` of the provider in the routing; a client secret expires and is made anew there.",
        Then.ROUTING,
    ),
    Topic.OWN_SECRET: Story(
        "The secret (`client_secret`) with which this service signs in at {provider} is missing: nobody refused it.",
        "Set what `client_secret:` of the provider names in the routing: `relay secret set`.",
        Then.ROUTING,
    ),
    Topic.INSECURE: Story(
        "There is no safe connection to {provider} ({reason}), and without one nothing is sent.",
        "See whether host, port, `tls` and `tls_ca` of the provider are right, and whether its certificate is.",
        Then.LOOK,
    ),
    Topic.ADDRESS: Story(
        "{provider} refuses all connections from the address of this relay.",
        "Ask {provider} why, and have the address taken off its list.",
        Then.LOOK,
    ),
    Topic.UNREACHABLE: Story(
        "{provider} cannot be reached, or breaks off ({reason}).",
        "See whether others have the same trouble with it, and whether this machine reaches it.",
        Then.LOOK,
    ),
    Topic.SLOWED: Story(
        "{provider} finds that this mailbox sends too much at once ({reason}).",
        "See who else sends through this mailbox. If it lasts, lower its limits.",
        Then.LOOK,
    ),
    Topic.OTHER: Story(
        "{provider} answers in a way that needs a person ({reason}).",
        "See `relay explain {account}` and `relay replies`.",
        Then.LOOK,
    ),
}

_THEN = {
    (Then.PASSWORD, Reader.DOCTOR): "Tell support the new password. The mails then leave within seconds.",
    (Then.PASSWORD, Reader.VENDOR): "Enter it: relay account set-password {account}. It is tried at once.",
    (Then.PASSWORD, Reader.OPS): "Enter it: relay account set-password {account}. It is tried at once.",
    (Then.FIXED, Reader.DOCTOR): "Tell support that it is done. The mails then leave at once; else it is tried daily.",
    (Then.FIXED, Reader.VENDOR): "Then say so: relay account fixed {account}. Else it is tried daily.",
    (Then.FIXED, Reader.OPS): "Then say so: relay account fixed {account}. Else it is tried daily.",
    (Then.CONNECT, Reader.DOCTOR): "Call support, who connects the mailbox again together with you.",
    (Then.CONNECT, Reader.VENDOR): "Then connect it again: relay account set-password --oauth {account}.",
    (Then.CONNECT, Reader.OPS): "Then connect it again: relay account set-password --oauth {account}.",
    (Then.ROUTING, Reader.DOCTOR): "Call support: only they can mend this.",
    (Then.ROUTING, Reader.VENDOR): "It is tried at once when the routing is saved.",
    (Then.ROUTING, Reader.OPS): "It is tried at once when the routing is saved.",
    (Then.RESUME, Reader.DOCTOR): "Call support, who paused it.",
    (Then.RESUME, Reader.VENDOR): "If it is not: relay account resume {account}.",
    (Then.RESUME, Reader.OPS): "If it is not: relay account resume {account}.",
    (Then.WAIT, Reader.DOCTOR): "The mails leave by themselves.",
    (Then.WAIT, Reader.VENDOR): "The mails leave by themselves.",
    (Then.WAIT, Reader.OPS): "The mails leave by themselves.",
    (Then.LOOK, Reader.DOCTOR): "Support has to mend this. Call them if it lasts.",
    (Then.LOOK, Reader.VENDOR): "Try it: relay account test {account}. Until it works it is tried again by itself.",
    (Then.LOOK, Reader.OPS): "Try it: relay account test {account}. Until it works it is tried again by itself.",
}

_EVENTS = {
    NoticeType.PAID_UNTIL: Event(
        "The paid term of {account} ends on {day}",
        "The mailbox {mailbox} is paid until {day}, for {days} more. The relay does not stop its mail then, but "
        "{provider} may.",
        "Renew it with {provider}, then write the new date into `paid_until` of the account.",
    ),
    NoticeType.FOREIGN_TRAFFIC: Event(
        "Somebody else sends through {mailbox}",
        "{provider} says that {mailbox} sends too fast, but this relay has used less than half of its limit: another "
        "program sends through the same mailbox, or somebody has its password.",
        "Ask the owner what else sends through it. If nothing does, have its password changed.",
    ),
    NoticeType.SPAM_BLOCKED: Event(
        "{provider} takes mail of {account} for spam",
        "{provider} has refused a mail of {mailbox} as spam. It was returned to its sender, and is not sent again. If "
        "it happens three times within an hour, the mailbox is paused to protect it.",
        "Have the sender told to send it another way, and ask {provider} why.",
    ),
    NoticeType.MANY_TO_ONE: Event(
        "{account} sends many mails to the same recipients",
        "Of {account} {count} recipients get many mails a day. Each mail is one that may be marked as spam, and that "
        "harms the mailbox.",
        "Ask whether several documents for one person can go in one mail.",
    ),
    NoticeType.SILENT: Event(
        "{account} has stopped sending",
        "{account} normally sends, and has sent nothing for {days}.",
        "Ask whether the practice is closed, or whether its program has lost its settings.",
    ),
    NoticeType.SURPRISE: Event(
        "{account} sends far more than usual",
        "{account} has handed in {count} mails today; on other days it is about {usual}.",
        "Ask whether that is meant. If nobody there knows of it: relay account pause {account}.",
    ),
    NoticeType.AUTH_OUTAGE: Event(
        "{provider} refuses logins of many mailboxes",
        "Since {since} {provider} refuses the logins of {count} mailboxes that worked: it is the provider's trouble. "
        "No mailbox was paused for it and no owner was told.",
        "Nothing, unless it lasts: the mailboxes take turns to try. Watch what {provider} says of its service.",
    ),
    NoticeType.PROVIDER_BLOCKED: Event(
        "{provider} blocks this relay or its contract",
        "Since {since} {provider} blocks all that comes from here, or many mailboxes in the same words ({count}).",
        "Call {provider}, and ask for the reason. Nothing is lost: {mails} waiting.",
    ),
    NoticeType.PROVIDER_STOPPED: Event(
        "{provider} cannot be used",
        "Since {since} nothing can be sent through {provider} ({reason}). {mails} waiting.",
        "See `relay status` and whether this machine reaches the provider. It is tried again by itself.",
    ),
    NoticeType.PROVIDER_HEALED: Event(
        "{provider} works again",
        "{provider} works again. What has waited ({mails}) leaves within its limits.",
        "Nothing.",
    ),
    NoticeType.STRANDED: Event(
        "The mail of {count} accounts goes nowhere",
        "Since {since} the mail of {count} accounts goes nowhere ({reason}). It is safe here, and waits.",
        "See whether the file of passwords or a part of the configuration is missing: `relay check`. As soon as it is "
        "back, the mail leaves by itself.",
    ),
    NoticeType.FOUND_AGAIN: Event(
        "The mail of many accounts leaves again",
        "The mail that went nowhere since {since} leaves again. It was that of {count} accounts.",
        "Nothing. Of those that are still stopped there is a notice each.",
    ),
    NoticeType.UNKNOWN_REPLY: Event(
        "A reply of {provider} that no rule knows",
        "{provider} has given a reply that no rule knows, {times}. Without one its code decides.",
        "See `relay replies`.",
    ),
    NoticeType.UNSENDABLE: Event(
        "A notice could not be sent",
        "Somebody had to be told about {account} ({reason}), and there is no way to him.",
        "See whether `notices.from` is an account that works, and whether `owner.email` and `notices.postmaster` are "
        "there. Until then call him yourself.",
    ),
}

ENGLISH = NoticeWords(
    day="%Y-%m-%d",
    greeting="Dear {name},",
    greeting_nameless="Hello,",
    stopped_subject="The mail of {senders} does not leave",
    reminder_subject="Reminder: the mail of {senders} does not leave",
    healed_subject="The mail of {senders} leaves again",
    opening="since {since} the mail of {senders} does not leave.",
    still="since {since} the mail of {senders} does not leave, and nothing has changed.",
    healed="the mail of {senders} leaves again. It had stood still since {since}. Nothing has to be done.",
    why="Why: {text}",
    waiting_none="No mail waits at the moment.",
    waiting_one="1 mail waits. It is safe here: do not send it again, it would arrive twice.",
    waiting_many="{waiting} mails wait. They are safe here: do not send them again, they would arrive twice.",
    leaving="What has waited leaves by itself, in its order and as fast as {provider} allows ({mails}).",
    mails=("no mail", "1 mail", "{many} mails"),
    days=("0 days", "1 day", "{many} days"),
    times=("never", "once", "{many} times"),
    kept="A mail is kept for {days} days, then it is returned to its sender.",
    next_try="The next try by itself: {next_try}.",
    to_do="What to do:",
    help="If you need help: {contact}",
    daily="This notice comes once a day until the mail leaves.",
    others="{account} (+{others})",
    mailbox="Mailbox: {mailbox} at {provider}",
    senders="Senders: {listed}",
    owner="Owner: {owner}",
    phone="Telephone: {phone}",
    call="The owner has no other address than this mailbox: please call him.",
    ticket="A text for the ticket, ready to send:\n\n"
    "Good morning, since {since} your outgoing servers refuse mails of our mailbox {mailbox} as spam.\n"
    "A mail that was refused: sender {account}, recipient at {domain}, {since}.\n"
    "The mailbox belongs to a medical practice, which sends its own patients the prescriptions and documents that they "
    "have asked for, one by one and within your limits. Please check the block, take it off, and tell us what in these "
    "mails causes it. The full answer of your server: (paste it from `relay explain {cited}`).",
    sender_name="Mail service",
    stories=MappingProxyType(_STORIES),
    then=MappingProxyType(_THEN),
    events=MappingProxyType(_EVENTS),
    support="support",
    right_after="Right after that the mails leave by themselves.",
)
