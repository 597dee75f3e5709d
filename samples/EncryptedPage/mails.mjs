// The e-mails of samples/Spam/mails, to begin with.
export const mails = [
  {
    name: 'lottery',
    text: `Subject: CONGRATULATIONS!!! You have WON $850,000

DEAR WINNER,

Your email address was drawn in our INTERNATIONAL INTERNET LOTTERY and you will receive $850,000 in CASH!!! To receive your money, order your FREE claim report now. All we need is your address and your credit card for the transfer fee of only $20!

CLICK HERE to remove all doubt and make your business a success!!!

This is not spam. To remove your address from our mail list, reply with REMOVE.
`,
  },
  {
    name: 'pills',
    text: `Subject: SAVE 85% - your order is waiting

Hello,

Why pay more over the counter? Order our products direct over the internet and SAVE!!! Free shipping on all orders over $50. No questions, no doctor, 100% money back!

You will receive your free trial pack in 3 days. Our business has served 50,000 people. CREDIT CARD accepted!

ORDER NOW!!! www.cheap-and-free.example
`,
  },
  {
    name: 'work-from-home',
    text: `Subject: make money from home!!!

Do you want to make $5,000 a week with your own internet business? You will not believe how easy it is!

Our report shows you how 1,000 people like you receive free money in the mail. Just order all five reports, add your name to the address list and email it to as many people as you can. #1 program in the world! It is LEGAL and it is FREE to start.

Your credit is no problem. Order today!
`,
  },
  {
    name: 'account',
    text: `Subject: URGENT: YOUR ACCOUNT WILL BE CLOSED

Dear customer,

our system has found a problem with your credit card. You will lose all your money unless you confirm your address and your password over the internet now!!! Click the link below, it is free and safe. Remove the limit of your account!

$$$ RECEIVE a bonus of $100 when you order today $$$
`,
  },
  {
    name: 'meeting',
    text: `Subject: Re: project meeting on Thursday

Hi George,

thanks for the notes. Could we move the project meeting to 3 pm? Anna has to teach in the cs lab until two, and I would like to look at the original data with her first (the table in section 4 still puzzles me).

I will bring the parts that came back from the labs.

Best,
Marta
`,
  },
  {
    name: 'conference',
    text: `Subject: Re: conference paper

Dear George,

the reviews of the conference paper are back; two of three are kind. Reviewer 2 asks for the original data (she means table 3) and for a clearer description of how the lab was set up. I think we can answer both in a day; shall we talk after the group meeting on Monday?

The project page at the university (cs.example.edu) has the full text.

Regards, Ines
`,
  },
  {
    name: 'dinner',
    text: `Subject: Re: Sunday

Hi both,

Sunday works for us. We thought of leaving after breakfast, walking up to the lake and being back before the rain; the children want to bring the dog. I can drive, there is room for two more. Shall I make the soup again, or would you rather stop at the old mill?

Love to grandmother,
Jo
`,
  },
  {
    name: 'printer',
    text: `Subject: Re: printer on the second floor

Hello all,

the hp printer on the second floor is back from repair. The technology group replaced two parts and asks us to report paper jams to them (extension 857) instead of opening the cover. The old queue will be gone on Friday; please use the new one, telnet to the print server still works for the lab machines.

Thanks for your patience,
Sven
`,
  },
];
